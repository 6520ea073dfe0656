"""Validation of requests: strictness, order of the checks, and error messages."""

import gzip
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import uuid4

import pytest
from httpx import AsyncClient
from pydantic import AfterValidator
from pydantic_core._pydantic_core import list_all_errors

from common.problems import BadRequest
from common.strict_json import CONTAINERS_MAX, DEPTH_MAX, NUMBER_MAX_CHARACTERS, parse_json
from common.unknown_fields import find_unknown_fields
from common.validation import BODY_MAX_BYTES, OTHER_USER, RULES, UNREADABLE, StrictModel

PYDANTIC_CODES = {error["type"].replace("_", "-") for error in list_all_errors()}


def test_every_pydantic_error_is_unreadable_or_a_broken_rule() -> None:
    assert UNREADABLE.isdisjoint(RULES)
    assert PYDANTIC_CODES <= UNREADABLE | RULES
    assert RULES < PYDANTIC_CODES
    assert OTHER_USER not in PYDANTIC_CODES


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"name": "abc"}', 200, None),
        (b"", 400, "json-invalid"),
        (b"{", 400, "json-invalid"),
        (b'{"name": 5}', 400, "string-type"),
        (b'{"name": null}', 400, "string-type"),
        (b'{"name": "abc", "size": "5"}', 400, "int-type"),
        (b'{"name": "abc", "size": 5.5}', 400, "int-type"),
        (b'{"name": "abc", "owner": "me"}', 400, "uuid-parsing"),
        (b'{"name": "abcdef", "size": "5"}', 400, "string-too-long"),
        (b"{}", 422, "missing"),
        (b'{"name": "abcdef"}', 422, "string-too-long"),
        (b'{"name": "abc", "more": 1}', 422, "extra-forbidden"),
    ],
)
async def test_an_unreadable_body_is_400_and_a_broken_rule_422(
    client: AsyncClient, body: bytes, status: int, code: str | None
) -> None:
    response = await client.post("/things", content=body)

    assert response.status_code == status
    if code:
        assert response.json()["code"] == ("bad-request" if status == 400 else "invalid-body")
        assert response.json()["errors"][0]["code"] == code
        assert response.json()["errors"][0]["location"][0] == "body"


@pytest.mark.parametrize(
    ("path", "location", "code"),
    [
        ("/things?unknown=1", ["query", "unknown"], "extra-forbidden"),
        ("/things?size=x", ["query", "size"], "int-parsing"),
        ("/things?size=1&size=1", ["query", "size"], "repeated"),
        ("/things?size=", ["query", "size"], "int-parsing"),
        ("/things?size=%ff", ["query"], "utf8-invalid"),
        ("/things/no-id", ["path", "thing_id"], "uuid-parsing"),
        ("/things/00000000000040008000000000000000", ["path", "thing_id"], "uuid-parsing"),
    ],
)
async def test_an_error_in_path_or_query_is_400(
    client: AsyncClient, path: str, location: list[str], code: str
) -> None:
    response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (400, "bad-request")
    assert [(error["location"], error["code"]) for error in response.json()["errors"]] == [
        (location, code)
    ]


async def test_a_valid_query_is_accepted(client: AsyncClient) -> None:
    assert (await client.get("/things?size=5")).status_code == 200
    assert (await client.get(f"/things/{str(uuid4()).upper()}")).status_code == 200


async def test_errors_of_body_and_query_are_reported_together(client: AsyncClient) -> None:
    response = await client.post("/things?size=x", content=b"{}")

    assert response.status_code == 400
    assert [error["location"] for error in response.json()["errors"]] == [
        ["query", "size"],
        ["body", "name"],
    ]


@pytest.mark.parametrize("name", ["wrote", "w" * 65, "what a user wrote", "<b>wrote</b>", "wröte"])
async def test_error_messages_do_not_repeat_the_input(client: AsyncClient, name: str) -> None:
    query = await client.get("/things", params={name: "wrote", "size": "wrote"})
    body = await client.post(
        "/things", json={"name": "wrote it", "size": "wrote", "owner": "wrote", name: "wrote"}
    )

    messages = [error["message"] for error in query.json()["errors"] + body.json()["errors"]]
    assert len(messages) == 6
    assert "wrote" not in " ".join(messages)
    assert name == "wrote" or name not in query.text + body.text


async def test_an_unknown_name_is_reported_with_a_suggestion(
    client: AsyncClient,
) -> None:
    query = await client.get("/things?sizes=1")
    body = await client.post(
        "/things", json={"name": "abc", "Name": 1, "naem": 2, "zzz": 3, "owner[]": 4}
    )

    (error,) = query.json()["errors"]
    assert (query.status_code, error["location"]) == (400, ["query", "sizes"])
    assert error["message"] == "There is no such parameter; size may be meant."
    assert [(error["location"][-1], error["message"]) for error in body.json()["errors"]] == [
        ("Name", "There is no such field; name may be meant."),
        ("naem", "There is no such field; name may be meant."),
        ("zzz", "There is no such field; possible are name, size, owner."),
        ("owner[]", "There is no such field; owner may be meant."),
    ]


class _Part(StrictModel):
    known: int


def _unchanged(part: _Part | None) -> _Part | None:
    return part


_CheckedPart = Annotated[_Part | None, AfterValidator(_unchanged)]


class _Whole(StrictModel):
    plain: _Part
    optional: _Part | None = None
    checked: _CheckedPart = None
    checked_or_null: _CheckedPart | None = None


@pytest.mark.parametrize("field", list(_Whole.model_fields))
def test_an_unknown_name_is_found_in_a_nested_model(field: str) -> None:
    errors = find_unknown_fields(("body",), _Whole, {field: {"known": 1, "x": 1}})

    assert [error["location"] for error in errors] == [["body", field, "x"]]


async def test_an_unknown_parameter_without_a_similar_one_lists_the_possible_ones(
    client: AsyncClient,
) -> None:
    of_list = await client.get("/things?zzz=1")
    of_thing = await client.get(f"/things/{uuid4()}?zzz=1")

    [error] = of_list.json()["errors"]
    assert error["message"] == "There is no such parameter; possible are size."
    [error] = of_thing.json()["errors"]
    assert error["message"] == "There is no such parameter; none is possible here."


@pytest.mark.parametrize(
    "name", ["size[]", "size[0]", "filter[size]", "page.size", "$size", "size:in"]
)
async def test_a_parameter_in_another_platforms_syntax_is_reported(
    client: AsyncClient, name: str
) -> None:
    response = await client.get("/things", params={name: "1"})

    [error] = response.json()["errors"]
    assert error["location"] == ["query", name]


@pytest.mark.parametrize("name", ["x" * 60_000, "size\u0000", "<b>", "a b", "\u202esize", 'si"ze'])
async def test_a_name_that_cannot_be_repeated_is_described(client: AsyncClient, name: str) -> None:
    response = await client.post("/things", json={"name": "abc", name: 1})

    assert (response.status_code, response.json()["code"]) == (422, "invalid-body")
    (error,) = response.json()["errors"]
    assert (error["location"], error["code"]) == (["body"], "extra-forbidden")
    assert "too long or has characters" in error["message"]


async def test_of_many_errors_the_20_most_important_are_reported(client: AsyncClient) -> None:
    unknown = {f"name_{number}": number for number in range(3_000)}
    rules = await client.post("/things", json={"name": "abc", **unknown})
    types = await client.post(
        "/things?size=x", json={**unknown, "name": "abcdef", "size": "5", "owner": "me"}
    )

    assert (rules.status_code, rules.json()["errors_omitted"]) == (422, 2_980)
    assert rules.json()["errors"]
    for error in rules.json()["errors"]:
        assert error["code"] == "extra-forbidden"
    assert (types.status_code, types.json()["errors_omitted"]) == (400, 2_984)
    codes = [error["code"] for error in types.json()["errors"]]
    assert (
        codes
        == ["int-parsing", "int-type", "uuid-parsing", "string-too-long"] + ["extra-forbidden"] * 16
    )
    assert max(len(rules.content), len(types.content)) < 5_000


async def test_of_many_unknown_parameters_20_are_reported(client: AsyncClient) -> None:
    response = await client.get("/things?" + "&".join(f"name_{number}" for number in range(500)))

    assert (response.status_code, response.json()["errors_omitted"]) == (400, 480)
    assert len(response.content) < 5_000


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


async def test_the_checks_have_an_order(client: AsyncClient) -> None:
    headers = {"Content-Type": "text/plain"}
    too_long = await client.post(
        "/things?x=1", content=chunks(BODY_MAX_BYTES + 1024), headers=headers
    )
    wrong_type = await client.post("/things?x=1", content=b"{", headers=headers)
    unreadable = await client.post("/things?x=1", content=b"{")
    del client.headers["authorization"]
    unauthenticated = await client.post(
        "/things?x=1", content=chunks(BODY_MAX_BYTES + 1024), headers=headers
    )

    assert unauthenticated.status_code == 401
    assert too_long.status_code == 413
    assert wrong_type.status_code == 415
    assert unreadable.status_code == 400
    assert unauthenticated.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x"])
async def test_an_encoded_body_is_415(client: AsyncClient, coding: str) -> None:
    body = gzip.compress(b'{"name": "abc"}')
    response = await client.post("/things", content=body, headers={"Content-Encoding": coding})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported-content-encoding")
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
async def test_the_identity_encoding_is_accepted(client: AsyncClient, coding: str) -> None:
    response = await client.post(
        "/things", content=b'{"name": "abc"}', headers={"Content-Encoding": coding}
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", None]
)
async def test_a_body_without_a_content_type_is_json(
    client: AsyncClient, media_type: str | None
) -> None:
    headers: dict[str, str] = {}
    if media_type:
        headers["Content-Type"] = media_type

    response = await client.post("/things", content=b'{"name": "abc"}', headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        b'\xef\xbb\xbf{"a": 1}',
        b'"\xff"',
        b'{"a": 1, "a": 1}',
        b'[{"a": [{"b": 1, "b": 1}]}]',
        b"NaN",
        b"[-Infinity]",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
        b"[" * 60_000,
        b"[" + b"[]," * CONTAINERS_MAX + b"1]",
        b"1" * (NUMBER_MAX_CHARACTERS + 1),
        b"0." + b"1" * NUMBER_MAX_CHARACTERS,
        b'["\\"", ' + b"1" * (NUMBER_MAX_CHARACTERS + 1) + b"]",
        b'["[", "\\\\", "' + b"]" * 100 + b'", ' + b"[" * DEPTH_MAX + b"]" * (DEPTH_MAX + 1),
        b'"[' + b'\\"' * 30_000,
        b'"' + b"\\" * 60_001,
        b"1 2",
        b"'a'",
    ],
)
def test_json_beyond_the_standard_or_the_limits_is_rejected(text: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_json(text)


def test_json_within_the_limits_is_parsed() -> None:
    assert parse_json(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)
    assert parse_json(b"1" * 300)
    assert parse_json(b"[" + b"[],{}," * 499 + b"1]")
    assert parse_json(b'["' + b"[" * 100 + b'\\"{{{", "' + b"1" * 2_000 + b'", 1]')
    assert parse_json(b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}') == {
        "a": {"a": 1},
        "b": [{"a": 1}, {"a": 1}],
    }
