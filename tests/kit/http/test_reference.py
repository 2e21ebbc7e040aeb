"""The description of the API that the server itself gives."""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
import schemathesis
from harness import Api
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.http.binding import convert
from criachat.kit.http.schema import Schemas


@pytest.fixture
async def described(api: Api) -> Any:
    return (await api.acting_as(None).get("/openapi.json")).json


def test_the_description_is_valid_openapi(described: Any) -> None:
    assert described["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(described).validate()


def test_every_reference_in_it_leads_somewhere(described: Any) -> None:
    text = msgspec.json.encode(described).decode()
    names = {f"#/components/{kind}/{name}" for kind, all_of in described["components"].items() for name in all_of}

    assert set(re.findall(r'"\$ref":"([^"]+)"', text)) <= names


def test_every_operation_has_a_name_of_its_own_and_says_who_may_call_it(described: Any) -> None:
    operations = [each for methods in described["paths"].values() for each in methods.values()]
    ids = [each["operationId"] for each in operations]

    assert len(ids) == len(set(ids)) > 50
    assert all(each["summary"] for each in operations)
    assert all("x-callers" in each for each in operations if "security" in each)


def test_an_operation_that_takes_a_file_as_it_is_says_so(described: Any) -> None:
    operation = described["paths"]["/rails/active_storage/disk/{signed_id}"]["put"]

    file = {"schema": {"type": "string", "format": "binary"}}
    assert operation["requestBody"] == {"required": True, "content": {"application/octet-stream": file}}


def test_in_a_path_names_and_sizes_are_texts(described: Any) -> None:
    file = described["paths"]["/rails/active_storage/representations/redirect/{signed_id}/{size}/{filename}"]["get"]

    types = {each["name"]: each["schema"]["type"] for each in file["parameters"]}
    assert types == {"signed_id": "string", "size": "string", "filename": "string"}


def test_an_operation_tells_what_it_takes_and_gives(described: Any) -> None:
    operation = described["paths"]["/api/v1/accounts/{account_id}/labels"]["post"]

    assert operation["x-scope"] == "labels:write"
    assert operation["x-callers"] == ["ADMINISTRATOR"]
    assert operation["security"] == [{"api_access_token": []}, {"access-token": [], "client": [], "uid": []}]
    assert "Idempotency-Key" in [each["name"] for each in operation["parameters"]]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {
        "anyOf": [
            {
                "type": "object",
                "properties": {"label": {"$ref": "#/components/schemas/LabelParams"}},
                "required": ["label"],
            },
            {"$ref": "#/components/schemas/LabelParams"},
        ]
    }
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/LabelOut"
    }
    assert {"401", "404", "422", "429"} <= set(operation["responses"])


def test_an_object_of_several_kinds_is_told_by_its_tag(described: Any) -> None:
    schemas = described["components"]["schemas"]
    (kinds, _) = schemas["InboxParams"]["properties"]["channel"]["anyOf"]

    told = [
        (of_tag["properties"]["type"]["const"], kind["$ref"])
        for of_tag, kind in (each["allOf"] for each in kinds["anyOf"])
    ]
    assert ("api", "#/components/schemas/ApiChannelParams") in told
    assert ("web_widget", "#/components/schemas/WebsiteSettings") in told
    assert schemas["WebsiteSettings"]["properties"]["widget_color"]["default"] == "#1f93ff"


async def test_the_page_names_every_path_and_runs_no_script(api: Api, described: Any) -> None:
    reply = await api.acting_as(None).get("/docs")

    page = reply.body.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert all(path in page for path in described["paths"])
    assert "<script" not in page


# --- schemas


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Leaf(msgspec.Struct, tag="leaf", tag_field="type"):
    """A leaf."""

    colour: Colour = Colour.RED


class Tree(msgspec.Struct):
    """A tree of trees."""

    name: Annotated[str, Meta(max_length=5)]
    age: int | UnsetType | None = UNSET
    kind: Literal["oak", "fir"] = "oak"
    leaves: list[Leaf] = []
    parts: dict[str, Tree] = {}
    notes: Any = None
    echo: Any = UNSET
    first: Tree | Leaf | None = None


TREE = {"$ref": "#/components/schemas/Tree"}
LEAF = {"$ref": "#/components/schemas/Leaf"}
FIELDS = {
    "name": {"type": "string", "maxLength": 5},
    "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "kind": {"enum": ["fir", "oak"]},
    "leaves": {"type": "array", "items": LEAF},
    "parts": {"type": "object", "additionalProperties": TREE},
    "notes": {},
    "echo": {},
    "first": {"anyOf": [TREE, LEAF, {"type": "null"}]},
}


class Asked(msgspec.Struct):
    """What is asked for."""

    words: Annotated[str | UnsetType | None, Meta(description="What to look for.")] = UNSET
    tags: Annotated[Annotated[list[str], Meta(max_length=3)], Meta(description="Any of these.")] = []
    limit: Annotated[Annotated[int, Meta(ge=1)], Meta(description="How many.")] = 5


def test_what_a_field_is_for_is_told() -> None:
    assert Schemas(of_answers=False).fields(Asked) == {
        "words": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "What to look for."},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "description": "Any of these."},
        "limit": {"type": "integer", "minimum": 1, "default": 5, "description": "How many."},
    }


def test_a_field_that_is_described_takes_what_it_took() -> None:
    asked = convert({"words": 12, "tags": ["a"], "limit": "3"}, Asked, plain_errors=False)

    assert asked == Asked(words="12", tags=["a"], limit=3)


def test_a_query_tells_what_its_parameters_are_for(described: Any) -> None:
    operation = described["paths"]["/api/v1/accounts/{account_id}/contacts"]["get"]

    told = {each["name"]: each.get("description", "") for each in operation["parameters"] if each["in"] == "query"}
    assert "last_activity_at" in told["sort"]
    assert "labels[]=vip" in told["labels"]


async def test_the_page_lists_what_a_body_has_and_what_is_in_that(api: Api) -> None:
    reply = await api.acting_as(None).get("/docs")

    page = reply.body.decode()
    entry = page[page.index("<div id='contacts_filter_contacts'>") :]
    entry = entry[: entry.index("</div>")]
    assert "<code>payload</code> <span class=s>list of object, required</span><ul>" in entry
    assert (
        "<code>query_operator</code> <span class=s>string or null</span>: <code>and</code> or <code>or</code>" in entry
    )
    assert "For administrators, agents" in entry
    assert '<a href="#contacts_filter_contacts">' in entry
    assert "$ref" not in page


def test_of_an_answer_every_field_is_there_that_can_be() -> None:
    schemas = Schemas(of_answers=True)

    assert schemas.of(list[Tree]) == {"type": "array", "items": TREE}
    tree, leaf = schemas.components["Tree"], schemas.components["Leaf"]
    assert (tree["description"], tree["properties"]) == ("A tree of trees.", FIELDS)
    assert tree["required"] == ["name", "kind", "leaves", "parts", "notes", "first"]
    assert (leaf["required"], leaf["properties"]["type"]) == (["type", "colour"], {"const": "leaf"})


def test_of_parameters_those_without_a_default_must_be_sent() -> None:
    schemas = Schemas(of_answers=False)

    assert schemas.of(Tree) == TREE
    tree = schemas.components["Tree"]
    assert tree["required"] == ["name"]
    assert tree["properties"] == {**FIELDS, "kind": {"enum": ["fir", "oak"], "default": "oak"}}
