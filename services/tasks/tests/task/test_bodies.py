"""Which request bodies are accepted, and the problems of those that are not."""

import json
import unicodedata
from collections.abc import AsyncIterator
from typing import Literal
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from devkit.testing.auth_headers import ClientFactory
from tasks.core.types.texts import Description, Title

DEEP = b"[" * 33 + b"]" * 33

UNREADABLE = {
    "nothing": b"",
    "white space": b" \n",
    "no JSON": b"title=x",
    "cut off": b'{"title": "x"',
    "two documents": b'{"title": "x"} {}',
    "trailing comma": b'{"title": "x",}',
    "comment": b'{"title": "x" /* y */}',
    "single quotes": b"{'title': 'x'}",
    "an array": b'[{"title": "x"}]',
    "null": b"null",
    "text": b'"x"',
    "byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "Latin-1": '{"title": "\xe4"}'.encode("latin-1"),
    "overlong UTF-8": b'{"title": "\xc0\xaf"}',
    "surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "half a pair": b'{"title": "\\ud83d"}',
    "half a pair in a name": b'{"title": "x", "\\udc00": 1}',
    "name twice": b'{"title": "x", "title": "y"}',
    "name twice, deeper": b'{"title": "x", "version": {"a": 1, "a": 1}}',
    "NaN": b'{"title": "x", "version": NaN}',
    "infinity": b'{"title": "x", "version": -Infinity}',
    "raw line break": b'{"title": "x\ny"}',
    "raw NUL": b'{"title": "x\x00"}',
    "long number": b'{"title": "x", "version": ' + b"1" * 1001 + b"}",
    "nested": b'{"title": "x", "version": ' + DEEP + b"}",
    "bottomless": b"[" * 60_000,
    "number as title": b'{"title": 5}',
    "null as title": b'{"title": null}',
    "list as title": b'{"title": ["x"]}',
    "text as truth": b'{"title": "x", "is_completed": "true"}',
    "number as truth": b'{"title": "x", "is_completed": 1}',
    "null as truth": b'{"title": "x", "is_completed": null}',
    "number as status": b'{"title": "x", "status": 5}',
    "null as status": b'{"title": "x", "status": null}',
    "number as user": b'{"title": "x", "user_id": 5}',
    "both kinds at once": b'{"title": "", "description": 5}',
}

BROKEN: dict[str, tuple[dict[str, object], str]] = {
    "no title": ({"description": "x"}, "missing"),
    "empty title": ({"title": ""}, "too-short"),
    "white title": ({"title": " \u2003\u2028\t"}, "too-short"),
    "title of marks": ({"title": "a" + "\u0300\u0316" * 15_500}, "too-many-marks"),
    "title with 31 marks": ({"title": "a" + "\u0301" * 31}, "too-many-marks"),
    "description of marks": ({"title": "x", "description": "\u0300\u0316" * 100}, "too-many-marks"),
    "label of marks": ({"title": "x", "labels": ["a" + "\u0316" * 31]}, "too-many-marks"),
    "many labels": ({"title": "x", "labels": [""] * 15_000}, "too-long"),
    "many labels of no kind": ({"title": "x", "labels": [1] * 15_000}, "too-long"),
    "long title": ({"title": "x" * 201}, "too-long"),
    "NUL in title": ({"title": "a\x00b"}, "control-character"),
    "line in title": ({"title": "a\nb"}, "control-character"),
    "separator in title": ({"title": "a\u2029b"}, "control-character"),
    "control as space": ({"title": "\x1fa"}, "control-character"),
    "NUL in description": ({"title": "x", "description": "a\x00b"}, "control-character"),
    "long description": ({"title": "x", "description": "x" * 10_001}, "too-long"),
    "unknown field": ({"title": "x", "colour": "red"}, "extra-forbidden"),
    "unknown status": ({"title": "x", "status": "done"}, "unknown-word"),
}


def _assert_problem(response: Response, status: int) -> None:
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert all(
        set(field_error) == {"location", "code", "message"} for field_error in problem["errors"]
    )


@pytest.mark.scenario("S002-US4.1")
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_body_is_400(as_user: ClientFactory, method: str, body: bytes) -> None:
    owner = as_user("owner")
    url = "/tasks" if method == "POST" else f"/tasks/{uuid4()}"

    _assert_problem(await owner.request(method, url, content=body), 400)
    assert (await owner.get("/tasks")).json() == []


@pytest.mark.scenario("S001-US1.2", "S002-US4.2")
@pytest.mark.parametrize(("body", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_body_that_breaks_a_rule_is_422(
    as_user: ClientFactory, body: dict[str, object], code: str
) -> None:
    owner = as_user("owner")
    response = await owner.post("/tasks", json=body)

    _assert_problem(response, 422)
    assert [field_error["code"] for field_error in response.json()["errors"]] == [code]
    assert (await owner.get("/tasks")).json() == []


INVISIBLE = {
    "zero width space": "\u200b",
    "joiners": "\u200c\u200d\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "directions": "\u200e\u202a\u202c\u2066\u2069\u061c",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "empty braille": "\u2800",
    "Mongolian": "\u180b\u180e\u180f",
    "Khmer vowels": "\u17b4\u17b5",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0041\U000e007f",
    "music": "\U0001d159\U0001d173\U0001d17a",
    "shorthand": "\U0001bca0",
    "grapheme joiner": "\u034f",
    "marks without a base": "\u0301\u20dd",
    "a spacing mark": "\u093e",
    "a mark on nothing": "\u200b\u0301",
    "white space between": "\u200b \u00a0\u3000\u200b",
}


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
async def test_a_text_of_invisible_characters_is_empty(as_user: ClientFactory, text: str) -> None:
    owner = as_user("owner")
    responses = [
        await owner.post("/tasks", json={"title": text}),
        await owner.post("/tasks", json={"title": "x", "labels": [text]}),
        await owner.post("/lists", json={"name": text}),
    ]

    for response in responses:
        _assert_problem(response, 422)
        assert [field_error["code"] for field_error in response.json()["errors"]] == ["too-short"]
    for visible_title in (f"{text}x", f"x{text}"):
        assert (await owner.post("/tasks", json={"title": visible_title})).status_code == 201


@pytest.mark.parametrize(
    "text", ["\u00e9" * 200, "e\u0301" * 200, "\u1100\u1161\u11a8" * 200, "\u1f82" * 200]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_characters_are_counted_once_composed(
    as_user: ClientFactory, text: str, form: Literal["NFC", "NFD"]
) -> None:
    owner, title = as_user("owner"), unicodedata.normalize(form, text)

    assert (await owner.post("/tasks", json={"title": f" {title} "})).status_code == 201
    _assert_problem(await owner.post("/tasks", json={"title": title + title[-1]}), 422)
    with_description = await owner.post("/tasks", json={"title": "x", "description": title * 20})
    assert (with_description.status_code, len(with_description.json()["description"])) == (
        201,
        4_000,
    )


@pytest.mark.parametrize(
    ("field", "suggested_name"),
    [("completed", "is_completed"), ("prio", "priority"), ("Title", "title")],
)
async def test_an_unknown_field_gets_a_suggestion(
    as_user: ClientFactory, field: str, suggested_name: str
) -> None:
    response = await as_user("owner").post("/tasks", json={"title": "x", field: "x"})

    assert [field_error["message"] for field_error in response.json()["errors"]] == [
        f"There is no such field; {suggested_name} may be meant."
    ]


async def test_an_unknown_nested_field_gets_a_suggestion(as_user: ClientFactory) -> None:
    due = {"date": "2026-11-30", "zone": "UTC", **{f"x{number}": 1 for number in range(50)}}
    response = await as_user("owner").post("/tasks", json={"title": "x", "due": due})

    _assert_problem(response, 422)
    problem = response.json()
    assert (problem["errors"][0]["location"], problem["errors_omitted"]) == (
        ["body", "due", "zone"],
        31,
    )
    assert problem["errors"][0]["message"] == "There is no such field; time_zone may be meant."


async def test_a_post_with_an_id_refers_to_put(as_user: ClientFactory) -> None:
    response = await as_user("owner").post("/tasks", json={"title": "x", "id": 5})

    assert response.status_code == 422
    assert "PUT" in response.json()["errors"][0]["message"]


async def test_an_error_never_contains_the_value_that_was_sent(as_user: ClientFactory) -> None:
    sent_text = "<hush>"
    bodies = (
        {"title": [sent_text]},
        {"title": "x", sent_text: sent_text},
        {"title": "x", "status": sent_text},
        {"title": f"{sent_text}\n{sent_text}"},
    )

    for body in bodies:
        assert "hush" not in (await as_user("owner").post("/tasks", json=body)).text


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("application/merge-patch+json", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_the_content_type_must_be_json(
    as_user: ClientFactory, content_type: str, status: int
) -> None:
    owner = as_user("owner")
    response = await owner.post(
        "/tasks", content=b'{"title": "x"}', headers={"Content-Type": content_type}
    )

    assert response.status_code == status


async def test_a_body_without_content_type_counts_as_json(as_user: ClientFactory) -> None:
    assert (await as_user("owner").post("/tasks", content=b'{"title": "x"}')).status_code == 201


async def test_a_change_may_be_a_merge_patch(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    url = (await owner.post("/tasks", json={"title": "x"})).headers["location"]
    headers = {"Content-Type": "application/merge-patch+json"}

    assert (await owner.patch(url, content=b'{"title": "y"}', headers=headers)).status_code == 200
    assert (await owner.put(url, content=b'{"title": "y"}', headers=headers)).status_code == 415


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_has_at_most_64_kib(as_user: ClientFactory, *, announced: bool) -> None:
    owner = as_user("owner")
    full = b'{"title": "x"' + b" " * (65_536 - 14) + b"}"

    async def send(body: bytes) -> int:
        async def in_chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 10_000):
                yield body[start : start + 10_000]

        return (await owner.post("/tasks", content=body if announced else in_chunks())).status_code

    assert (await send(full), await send(full + b" ")) == (201, 413)


async def _delete(owner: AsyncClient, body: bytes) -> int:
    url = (await owner.post("/tasks", json={"title": "x"})).headers["location"]
    return (await owner.request("DELETE", url, content=body)).status_code


async def test_a_delete_may_have_a_body_with_the_user_id(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert await _delete(owner, b"") == 204
    assert (
        await _delete(owner, json.dumps({"user_id": owner.headers["x-user-id"].upper()}).encode())
        == 204
    )
    assert await _delete(owner, b'{"user_id": "other"}') == 403
    assert await _delete(owner, b'{"title": "x"}') == 422
    assert await _delete(owner, b"[]") == 400


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_a_title_is_normalized_or_rejected_for_a_known_reason(text: str) -> None:
    check = TypeAdapter(Title)
    try:
        title = check.validate_python(text)
    except ValidationError as error:
        outcomes = {field_error["type"] for field_error in error.errors()}
    else:
        outcomes = (
            {"kept"}
            if check.validate_python(title) == title == title.strip() and len(title) <= 200
            else {""}
        )
    assert outcomes in (
        {"kept"},
        {"too-short"},
        {"too-long"},
        {"too-many-marks"},
        {"control-character"},
        {"string_unicode"},
    )


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_a_description_is_not_trimmed(text: str) -> None:
    spaced = f" \t{text}\r\n"

    assert TypeAdapter(Description).validate_python(spaced).startswith(" \t")
    assert TypeAdapter(Description).validate_python(spaced).endswith("\r\n")
