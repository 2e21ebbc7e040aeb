// Bridges and automations of the family call through this package. It calls what the tests tell it on its standard
// input, one JSON object a line, with their token or without one, and tells on its standard output how it went.
"use strict";

const readline = require("node:readline");
const { default: ChatwootClient } = require("@figuro/chatwoot-sdk");

const basePath = process.argv[2];
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);

const call = async ({ operation, params, token }) => {
  const client = new ChatwootClient({ config: { basePath, with_credentials: true, credentials: "include", token } });
  const [method, ...rest] = operation.split(".").reverse();
  const service = rest.reverse().reduce((found, name) => found[name], client);
  try {
    tell({ fact: "answered", body: (await service[method](params)) ?? null });
  } catch (error) {
    tell({ fact: "refused", status: error.status ?? null, body: error.body ?? String(error) });
  }
};

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => call(JSON.parse(line)))
  .on("close", () => process.exit(0));
