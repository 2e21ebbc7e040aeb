// Apps of the family listen through this package. It does what the tests tell it on its standard input, one JSON object
// a line, and tells on its standard output what it hears.
"use strict";

// What the pages of a browser have and Node has not.
globalThis.document ??= { visibilityState: "visible" };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

const readline = require("node:readline");
const { createConsumer, ConnectionMonitor } = require("@rails/actioncable");

const consumer = createConsumer(process.argv[2]);
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
let subscription = null;

const commands = {
  subscribe: (params) => {
    subscription = consumer.subscriptions.create(
      { channel: "RoomChannel", ...params },
      {
        connected: ({ reconnected } = {}) => tell({ fact: "connected", reconnected: Boolean(reconnected) }),
        disconnected: ({ willAttemptReconnect } = {}) => tell({ fact: "disconnected", willAttemptReconnect }),
        rejected: () => tell({ fact: "rejected" }),
        received: (message) => tell({ fact: "received", message }),
      },
    );
  },
  perform: ({ action }) => subscription.perform(action),
  // Apps wait some seconds before they come back; tests do not.
  hurry: () => {
    ConnectionMonitor.staleThreshold = 0.3;
    consumer.connection.monitor.startPolling();
  },
  patience: () => {
    ConnectionMonitor.staleThreshold = 6;
  },
};

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { command, ...rest } = JSON.parse(line);
    commands[command](rest);
  })
  .on("close", () => process.exit(0));
