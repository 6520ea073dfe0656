"""What a body may say once it can be read: the rules of its fields, and texts that come back byte for byte."""

import json
from typing import Final

import pytest

from e2e.support.contract import UNKNOWN_ID, assert_problem, error_locations
from e2e.support.user_client import UserClientFactory

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
"""Texts in normal form C that a title may have, too."""

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
"""Texts that show nothing, and are no white space."""

READ_ONLY: Final = ("id", "completed_at", "created_at", "updated_at", "version")


@pytest.mark.scenario("S002-SC-009")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_texts_come_back_byte_for_byte(as_user: UserClientFactory, text: str) -> None:
    ann = as_user("ann")

    task = await ann.create_task(text, description=text)

    assert (task["title"], task["description"]) == (text, text)
    assert await ann.list_tasks() == [await ann.get_task(task)] == [task]
    changed = (
        await ann.patch(
            f"/tasks/{task['id']}", json={"title": f"{text}!", "description": f"{text}?"}
        )
    ).json()
    assert (changed["title"], changed["description"]) == (f"{text}!", f"{text}?")


@pytest.mark.parametrize(
    "text", ["", " ", " x ", "\n", "a\r\nb\tc\n", "\u2028", "x" * 10_000, "🌱" * 10_000]
)
async def test_a_description_is_kept_as_it_is(as_user: UserClientFactory, text: str) -> None:
    ann = as_user("ann")

    task = await ann.create_task(description=text)

    assert task["description"] == text
    assert (await ann.get_task(task))["description"] == text


async def test_escaped_and_plain_characters_are_the_same(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    title = 'Grüße "🌱" /'

    for body in (
        json.dumps({"title": title}),
        r'{"\u0074itle": "Gr\u00fc\u00DFe \u0022\ud83c\udf31\u0022 \/"}',
    ):
        assert (await ann.post("/tasks", content=body)).json()["title"] == title


async def test_texts_are_composed(as_user: UserClientFactory) -> None:
    task = await as_user("ann").create_task(
        "Gru\u0308\u00dfe \u212b", description="A\u030a \u1100\u1161"
    )

    assert (task["title"], task["description"]) == ("Grüße Å", "Å 가")


@pytest.mark.parametrize("space", WHITE_SPACE, ids=ascii)
async def test_a_title_is_trimmed_of_all_white_space(
    as_user: UserClientFactory, space: str
) -> None:
    ann = as_user("ann")

    assert (await ann.create_task(f"{space} Water the plants {space}{space}"))[
        "title"
    ] == "Water the plants"
    response = await ann.post("/tasks", json={"title": space * 3})
    assert error_locations(assert_problem(response, 422, "invalid-body")) == [["body", "title"]]


@pytest.mark.parametrize("letter", ["x", "ß", "漢", "🌱", "e\u0301"])
async def test_a_title_has_at_most_200_characters(as_user: UserClientFactory, letter: str) -> None:
    ann = as_user("ann")

    await ann.create_task(f"  {letter * 200}  ")
    response = await ann.post("/tasks", json={"title": letter * 201})
    assert error_locations(assert_problem(response, 422, "invalid-body")) == [["body", "title"]]


@pytest.mark.parametrize("letter", ["x", "🌱"])
async def test_a_description_has_at_most_10000_characters(
    as_user: UserClientFactory, letter: str
) -> None:
    response = await as_user("ann").post(
        "/tasks", json={"title": "x", "description": letter * 10_001}
    )

    assert error_locations(assert_problem(response, 422, "invalid-body")) == [
        ["body", "description"]
    ]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
async def test_what_shows_nothing_is_no_title(as_user: UserClientFactory, text: str) -> None:
    ann = as_user("ann")

    for path, field in (("/tasks", "title"), ("/lists", "name")):
        problem = assert_problem(await ann.post(path, json={field: text}), 422, "invalid-body")
        assert [(fault["location"], fault["code"]) for fault in problem.get("errors", [])] == [
            (["body", field], "too-short")
        ]
    assert (await ann.create_task(f"{text}x"))["title"] == f"{text}x".strip()


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("pairs", [16, 10_000])
async def test_no_text_has_more_than_30_marks_in_a_row(
    as_user: UserClientFactory, field: str, pairs: int
) -> None:
    ann = as_user("ann")

    assert (
        await ann.post("/tasks", json={"title": "x", field: "a" + "\u0300\u0316" * 15})
    ).status_code == 201
    response = await ann.post("/tasks", json={"title": "x", field: "a" + "\u0300\u0316" * pairs})
    (fault,) = assert_problem(response, 422, "invalid-body").get("errors", [])
    assert (fault["location"], fault["code"]) == (["body", field], "too-many-marks")


async def test_of_many_faults_20_are_told_and_the_others_counted(
    as_user: UserClientFactory,
) -> None:
    unknown = {f"x{number}": number for number in range(5_000)}

    response = await as_user("ann").post("/tasks", json={"title": "x", **unknown})

    assert assert_problem(response, 422, "invalid-body").get("errors_omitted") == 4_980
    assert len(response.content) < 5_000


@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=ascii)
async def test_no_text_has_control_characters(as_user: UserClientFactory, character: str) -> None:
    ann = as_user("ann")
    task_path = f"/tasks/{(await ann.create_task())['id']}"

    for field in ("title", "description"):
        for method, path in (("POST", "/tasks"), ("PATCH", task_path), ("PUT", task_path)):
            for text in (f"a{character}b", f"{character}a", f"a{character}"):
                response = await ann.request(method, path, json={"title": "x", field: text})
                assert error_locations(assert_problem(response, 422, "invalid-body")) == [
                    ["body", field]
                ]


@pytest.mark.parametrize("character", "\t\n\r\x85\u2028\u2029", ids=ascii)
async def test_a_title_is_one_line(as_user: UserClientFactory, character: str) -> None:
    response = await as_user("ann").post("/tasks", json={"title": f"a{character}b"})

    assert error_locations(assert_problem(response, 422, "invalid-body")) == [["body", "title"]]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"title": ""}, "title"),
        ({"status": "done"}, "status"),
        ({"status": "Completed"}, "status"),
        ({"status": ""}, "status"),
        ({"due_at": "2026-01-01T00:00:00Z"}, "due_at"),
        ({"Title": "x"}, "Title"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_a_field_that_breaks_a_rule_is_named(
    as_user: UserClientFactory, method: str, more: dict[str, str], place: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    path = "/tasks" if method == "POST" else f"/tasks/{task['id']}"

    response = await ann.request(method, path, json={"title": "x", **more})

    assert error_locations(assert_problem(response, 422, "invalid-body")) == [["body", place]]
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("field", READ_ONLY)
async def test_a_new_task_cannot_bring_what_the_service_writes(
    as_user: UserClientFactory, field: str
) -> None:
    ann = as_user("ann")
    sent = {"id": UNKNOWN_ID, "version": 1}.get(field, "2026-01-01T00:00:00.000000Z")

    problem = assert_problem(
        await ann.post("/tasks", json={"title": "x", field: sent}), 422, "invalid-body"
    )

    assert error_locations(problem) == [["body", field]]
    assert ("PUT" in str(problem.get("errors"))) is (field == "id")
    assert await ann.list_tasks() == []


async def test_every_broken_rule_is_listed_and_never_what_was_sent(
    as_user: UserClientFactory,
) -> None:
    body = {"title": "leak-1\0", "description": "leak-2\0", "status": "leak-3", "unknown": "leak-4"}

    response = await as_user("ann").post("/tasks", json=body)

    places = error_locations(assert_problem(response, 422, "invalid-body"))
    assert sorted(map(str, places)) == sorted(str(["body", field]) for field in body)
    assert "leak" not in response.text


@pytest.mark.parametrize(
    "body", [{"title": "x"}, {"id": UNKNOWN_ID}, {"x": 1}, {"user_id": None, "is_completed": True}]
)
async def test_a_deletion_says_nothing_but_who_asks(
    as_user: UserClientFactory, body: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    assert_problem(
        await ann.request("DELETE", f"/tasks/{task['id']}", json=body), 422, "invalid-body"
    )
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("body", [None, {}, {"user_id": None}])
async def test_a_deletion_needs_no_body(
    as_user: UserClientFactory, body: dict[str, object] | None
) -> None:
    ann = as_user("ann")

    response = await ann.request("DELETE", f"/tasks/{(await ann.create_task())['id']}", json=body)

    assert (response.status_code, response.content) == (204, b"")
    assert await ann.list_tasks() == []
