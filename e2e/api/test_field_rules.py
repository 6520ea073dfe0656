"""The rules of fields, and texts that are returned byte for byte."""

import json
from typing import Final

import pytest

from e2e.support.contract import UNKNOWN_ID, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

TEXTS: Final = {
    "plain": "Water the plants",
    "markup": "<script>alert('x')</script> &amp; \"quoted\"",
    "SQL": "'; DROP TABLE tasks; --",
    "a pattern": r"100% of_a\b\\c",
    "a format": "{0} %s $1 ${HOME} {{x}}",
    "an escape": r"\u0041 \n \0 \x41",
    "umlauts": "Grüße aus Köln",
    "other scripts": "Ελληνικά עברית العربية हिन्दी ไทย 漢字 かな",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ✅",
    "beyond the first plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎 \U0010fffd",
    "no characters": "\ufffe\uffff\ufdd0\U0010ffff",
    "private use": "\ue000\uf8ff",
    "joined without a composed form": "q\u0323\u0307",
    "directions": "\u202eabc\u202c \u200fdef",
    "invisible at the ends": "\u200bx\ufeff",
    "spaces inside": "a  b\u00a0c\u3000d",
    "a replacement character": "\ufffd",
    "case that changes length": "ßẞ İı ŉ ﬁ",
}
"""Texts in normal form C that are valid titles as well."""

WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

CONTROL_CHARACTERS: Final = "\0\x01\x07\x08\x1b\x1c\x1f\x7f\x80\x9f"

INVISIBLE: Final = (
    "\u200b",
    "\ufeff",
    "\u00ad\u2060",
    "\u2800",
    "\u3164",
    "\u115f\u1160",
    "\uffa0",
    "\u0301",
    "\U000e0041",
)
"""Invisible texts that are not white space."""

READ_ONLY_FIELDS: Final = ("id", "completed_at", "created_at", "updated_at", "version")


async def assert_invalid_field(
    user: UserClient, body: dict[str, object], field: str, code: str | None = None
) -> None:
    """Check that a creation with this body is rejected because of one field."""
    response = await user.post("/tasks", json=body)
    problem = assert_problem(response, 422, "invalid-body")
    [error] = problem.get("errors", [])
    assert error["location"] == ["body", field]
    if code is not None:
        assert error["code"] == code


@pytest.mark.scenario("S002-SC-009")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_texts_are_returned_byte_for_byte(as_user: UserClientFactory, text: str) -> None:
    ann = as_user("ann")

    task = await ann.create_task(text, description=text)

    assert task["title"] == text
    assert task["description"] == text
    assert await ann.get_task(task) == task
    assert await ann.list_tasks() == [task]
    change = {"title": f"{text}!", "description": f"{text}?"}
    response = await ann.patch(f"/tasks/{task['id']}", json=change)
    changed = response.json()
    assert changed["title"] == f"{text}!"
    assert changed["description"] == f"{text}?"


@pytest.mark.parametrize(
    "text", ["", " ", " x ", "\n", "a\r\nb\tc\n", "\u2028", "x" * 10_000, "🌱" * 10_000]
)
async def test_a_description_is_stored_unchanged(as_user: UserClientFactory, text: str) -> None:
    ann = as_user("ann")

    task = await ann.create_task(description=text)

    assert task["description"] == text
    assert await ann.get_task(task) == task


async def test_escaped_and_plain_characters_are_equal(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    title = 'Grüße "🌱" /'
    plain_body = json.dumps({"title": title})
    escaped_body = r'{"\u0074itle": "Gr\u00fc\u00DFe \u0022\ud83c\udf31\u0022 \/"}'

    for body in (plain_body, escaped_body):
        response = await ann.post("/tasks", content=body)
        assert response.json()["title"] == title


async def test_texts_are_normalized_to_form_c(as_user: UserClientFactory) -> None:
    task = await as_user("ann").create_task(
        "Gru\u0308\u00dfe \u212b", description="A\u030a \u1100\u1161"
    )

    assert task["title"] == "Grüße Å"
    assert task["description"] == "Å 가"


@pytest.mark.parametrize("space", WHITE_SPACE, ids=ascii)
async def test_white_space_around_a_title_is_removed(
    as_user: UserClientFactory, space: str
) -> None:
    ann = as_user("ann")

    task = await ann.create_task(f"{space} Water the plants {space}{space}")

    assert task["title"] == "Water the plants"
    await assert_invalid_field(ann, {"title": space * 3}, "title")


@pytest.mark.parametrize("letter", ["x", "ß", "漢", "🌱", "e\u0301"])
async def test_a_title_has_at_most_200_characters(as_user: UserClientFactory, letter: str) -> None:
    ann = as_user("ann")

    await ann.create_task(f"  {letter * 200}  ")
    await assert_invalid_field(ann, {"title": letter * 201}, "title")


@pytest.mark.parametrize("letter", ["x", "🌱"])
async def test_a_description_has_at_most_10000_characters(
    as_user: UserClientFactory, letter: str
) -> None:
    body: dict[str, object] = {"title": "x", "description": letter * 10_001}

    await assert_invalid_field(as_user("ann"), body, "description")


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
async def test_an_invisible_text_is_no_title_and_no_name(
    as_user: UserClientFactory, text: str
) -> None:
    ann = as_user("ann")

    await assert_invalid_field(ann, {"title": text}, "title", "too-short")
    list_response = await ann.post("/lists", json={"name": text})
    [error] = assert_problem(list_response, 422, "invalid-body").get("errors", [])
    assert error["location"] == ["body", "name"]
    assert error["code"] == "too-short"
    task = await ann.create_task(f"{text}x")
    assert task["title"] == f"{text}x".strip()


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("pairs", [16, 10_000])
async def test_a_text_has_at_most_30_combining_marks_in_a_row(
    as_user: UserClientFactory, field: str, pairs: int
) -> None:
    ann = as_user("ann")
    pair = "\u0300\u0316"

    accepted = await ann.post("/tasks", json={"title": "x", field: "a" + pair * 15})
    assert accepted.status_code == 201
    body: dict[str, object] = {"title": "x", field: "a" + pair * pairs}
    await assert_invalid_field(ann, body, field, "too-many-marks")


async def test_a_problem_lists_20_errors_and_counts_the_others(as_user: UserClientFactory) -> None:
    body: dict[str, object] = {f"x{number}": number for number in range(5_000)}
    body["title"] = "x"

    response = await as_user("ann").post("/tasks", json=body)

    problem = assert_problem(response, 422, "invalid-body")
    assert problem.get("errors_omitted") == 4_980
    assert len(response.content) < 5_000


@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=ascii)
async def test_texts_have_no_control_characters(as_user: UserClientFactory, character: str) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    task_path = f"/tasks/{task['id']}"

    for field in ("title", "description"):
        for method, path in (("POST", "/tasks"), ("PATCH", task_path), ("PUT", task_path)):
            for text in (f"a{character}b", f"{character}a", f"a{character}"):
                response = await ann.request(method, path, json={"title": "x", field: text})
                problem = assert_problem(response, 422, "invalid-body")
                assert error_locations(problem) == [["body", field]]


@pytest.mark.parametrize("character", "\t\n\r\x85\u2028\u2029", ids=ascii)
async def test_a_title_is_one_line(as_user: UserClientFactory, character: str) -> None:
    await assert_invalid_field(as_user("ann"), {"title": f"a{character}b"}, "title")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("status", "done"),
        ("status", "Completed"),
        ("status", ""),
        ("due_at", "2026-01-01T00:00:00Z"),
        ("Title", "x"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_an_invalid_field_is_named(
    as_user: UserClientFactory, method: str, field: str, value: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    path = f"/tasks/{task['id']}"
    if method == "POST":
        path = "/tasks"

    response = await ann.request(method, path, json={"title": "x"} | {field: value})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", field]]
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("field", READ_ONLY_FIELDS)
async def test_a_new_task_cannot_have_read_only_fields(
    as_user: UserClientFactory, field: str
) -> None:
    ann = as_user("ann")
    values: dict[str, object] = {"id": UNKNOWN_ID, "version": 1}
    value = values.get(field, "2026-01-01T00:00:00.000000Z")

    response = await ann.post("/tasks", json={"title": "x", field: value})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", field]]
    recommends_put = "PUT" in str(problem.get("errors"))
    assert recommends_put is (field == "id")
    assert await ann.list_tasks() == []


async def test_every_invalid_field_is_listed_without_its_value(
    as_user: UserClientFactory,
) -> None:
    body = {"title": "leak-1\0", "description": "leak-2\0", "status": "leak-3", "unknown": "leak-4"}

    response = await as_user("ann").post("/tasks", json=body)

    problem = assert_problem(response, 422, "invalid-body")
    locations = sorted(str(location) for location in error_locations(problem))
    assert locations == sorted(str(["body", field]) for field in body)
    assert "leak" not in response.text


@pytest.mark.parametrize(
    "body", [{"title": "x"}, {"id": UNKNOWN_ID}, {"x": 1}, {"user_id": None, "is_completed": True}]
)
async def test_the_body_of_a_deletion_may_contain_the_user_id_only(
    as_user: UserClientFactory, body: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.request("DELETE", f"/tasks/{task['id']}", json=body)

    assert_problem(response, 422, "invalid-body")
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("body", [None, {}, {"user_id": None}])
async def test_a_deletion_needs_no_body(
    as_user: UserClientFactory, body: dict[str, object] | None
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.request("DELETE", f"/tasks/{task['id']}", json=body)

    assert response.status_code == 204
    assert response.content == b""
    assert await ann.list_tasks() == []
