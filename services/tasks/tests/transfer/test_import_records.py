"""A line that is bad is refused with its number, and nothing of the import is written."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.import_export import (
    OLD_TIMESTAMP,
    OWNER_PATH,
    Record,
    export,
    import_records,
    post_import,
    task_record,
    to_ndjson,
)

UNREADABLE: Final = {
    "broken": b'{"kind": "task"',
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a line separator": "\u2028".encode(),
    "no object": b"[]",
    "no UTF-8": b'{"kind": "\xff"}',
    "with a byte order mark": b"\xef\xbb\xbf" + to_ndjson(task_record(uuid4())).strip(),
    "a name twice": b'{"kind": "task", "kind": "task"}',
    "not a number": b'{"kind": "task", "version": NaN}',
    "too deep": b'{"version": ' + b"[" * 40 + b"]" * 40 + b"}",
    "too long": b" " * 65_537,
    "too long, and then some": b" " * 200_000,
    "two on one line": to_ndjson(task_record(uuid4())).strip() * 2,
}

WRONG: Final[dict[str, tuple[Record, int, str]]] = {
    "an id that is none": ({"id": "1"}, 400, "uuid-parsing"),
    "no text": ({"title": 1}, 400, "string-type"),
    "a lone surrogate": ({"title": "\ud800"}, 400, "json-invalid"),
    "a time that is none": ({"created_at": "yesterday"}, 400, "datetime-parsing"),
    "a time without a zone": ({"updated_at": "2020-01-01T00:00:00"}, 400, "datetime-parsing"),
    "a time that is a number": ({"updated_at": 1}, 400, "string-type"),
    "a kind that is a number": ({"kind": 1}, 400, "string-type"),
    "another kind": ({"kind": "export"}, 422, "unknown-word"),
    "an empty title": ({"title": " "}, 422, "too-short"),
    "a title too long": ({"title": "a" * 201}, 422, "too-long"),
    "many marks": ({"title": "a" + "\u0300\u0316" * 5_000}, 422, "too-many-marks"),
    "a label of many marks": ({"labels": ["a" + "\u0301" * 31]}, 422, "too-many-marks"),
    "an invisible title": ({"title": "\u200b"}, 422, "too-short"),
    "many wrong labels": ({"labels": [""] * 10_000}, 422, "too-long"),
    "a NUL": ({"description": "\x00"}, 422, "control-character"),
    "an unknown field": ({"colour": "red"}, 422, "extra-forbidden"),
    "an unknown status": ({"status": "done"}, 422, "unknown-word"),
    "too early": ({"created_at": "1969-12-31T23:59:59.999999Z"}, 422, "time-out-of-range"),
    "too late": ({"completed_at": "9999-12-31T23:59:59-01:00"}, 422, "time-out-of-range"),
    "too late to be read": (
        {"updated_at": "9999-12-31T23:59:59.9999999-14:00"},
        422,
        "time-out-of-range",
    ),
    "a contradiction": (
        {"is_completed": True, "status": "pending", "completed_at": OLD_TIMESTAMP},
        422,
        "contradiction",
    ),
    "completed at no time": ({"is_completed": True}, 422, "contradiction"),
    "pending since a time": (
        {"status": "pending", "completed_at": OLD_TIMESTAMP},
        422,
        "contradiction",
    ),
}


@pytest.mark.parametrize("line", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_line_that_cannot_be_read_is_named(as_user: ClientFactory, line: bytes) -> None:
    owner = as_user("owner")

    refused = await post_import(
        owner, to_ndjson(task_record(uuid4())) + line + b"\n" + to_ndjson(task_record(uuid4()))
    )

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "bad-request")
    assert problem["detail"] == "Line 3 cannot be read."
    assert [fault["location"] for fault in problem["errors"]] == [["body", 3]]
    assert await export(owner) == []


@pytest.mark.parametrize(("fields", "status", "code"), WRONG.values(), ids=WRONG)
async def test_a_line_that_breaks_a_rule_is_named(
    as_user: ClientFactory, fields: Record, status: int, code: str
) -> None:
    owner = as_user("owner")

    refused = await post_import(
        owner, to_ndjson(task_record(uuid4()), task_record(uuid4()), task_record(uuid4()) | fields)
    )

    problem = refused.json()
    assert (refused.status_code, problem["detail"].split()[:2]) == (status, ["Line", "4"])
    assert {fault["code"] for fault in problem["errors"]} == {code}
    assert all(fault["location"][:2] == ["body", 4] for fault in problem["errors"])
    assert await export(owner) == []


async def test_of_many_faults_of_a_line_20_are_told(as_user: ClientFactory) -> None:
    refused = await post_import(
        as_user("owner"),
        to_ndjson(task_record(uuid4()) | {f"x{number}": 1 for number in range(3_000)}),
    )

    assert (refused.status_code, refused.json()["errors_omitted"]) == (422, 2_980)
    assert [fault["location"][:2] for fault in refused.json()["errors"]] == [["body", 2]] * 20


@pytest.mark.parametrize("name", ["kind", "id", "title", "created_at", "updated_at"])
async def test_what_a_task_cannot_do_without_is_named(as_user: ClientFactory, name: str) -> None:
    line = task_record(uuid4())
    del line[name]

    refused = await post_import(as_user("owner"), to_ndjson(line))

    assert refused.status_code == 422
    assert [(fault["location"], fault["code"]) for fault in refused.json()["errors"]] == [
        (["body", 2, name], "missing")
    ]


async def test_times_are_kept_to_the_microsecond_in_whatever_zone_they_come(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    times = {
        "created_at": "1970-01-01T00:00:00z",
        "updated_at": "2020-02-29T12:00:00.1234567+05:30",
        "completed_at": "9999-12-31T23:59:59.999999Z",
    }

    assert await import_records(owner, task_record(uuid4(), **times)) == (1, 0, 0, 0)

    [line] = await export(owner)
    assert {name: line[name] for name in times} == {
        "created_at": "1970-01-01T00:00:00.000000Z",
        "updated_at": "2020-02-29T06:30:00.123456Z",
        "completed_at": "9999-12-31T23:59:59.999999Z",
    }
    assert (line["is_completed"], line["status"]) == (True, "completed")
    assert len((await owner.get("/tasks?limit=1")).json()) == 1


async def test_whose_task_it_was_is_no_matter(as_user: ClientFactory) -> None:
    assert await import_records(
        as_user("owner"), task_record(uuid4(), user_id=str(uuid4()), version=7)
    ) == (
        1,
        0,
        0,
        0,
    )


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
async def test_a_stream_may_come_in_pieces_of_any_size_and_end_without_a_line_feed(
    as_user: ClientFactory, size: int
) -> None:
    owner = as_user("owner")
    stream = (
        to_ndjson(task_record(uuid4(), "Äpfel"), task_record(uuid4(), "🌵"))
        .replace(b"\n", b"\r\n")
        .removesuffix(b"\r\n")
    )

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(stream), size):
            yield stream[place : place + size]

    assert (await post_import(owner, pieces())).json()["created"] == 2
    assert {line["title"] for line in await export(owner)} == {"Äpfel", "🌵"}


@pytest.mark.parametrize(
    "blank", [b"\n", b"\r\n", b" \t\n", b"\n\r\n\n", b" " * 65_535 + b"\n"], ids=len
)
@pytest.mark.parametrize("size", [1_000, 1_000_000])
async def test_blank_lines_are_skipped_and_counted(
    as_user: ClientFactory, blank: bytes, size: int
) -> None:
    owner, line_feeds = as_user("owner"), blank.count(b"\n")
    bad = to_ndjson(task_record(uuid4(), ""))
    stream = (
        blank
        + to_ndjson(task_record(uuid4(), "a"))
        + blank
        + to_ndjson(task_record(uuid4(), "b"))
        + blank
    )

    async def pieces(content: bytes) -> AsyncIterator[bytes]:
        for place in range(0, len(content), size):
            yield content[place : place + size]

    refused = await post_import(owner, pieces(stream + bad))
    assert refused.json()["detail"] == f"Line {4 + 3 * line_feeds} breaks a rule."
    assert await export(owner) == []
    assert (await post_import(owner, pieces(stream))).json()["created"] == 2


async def test_no_reader_breaks_a_line_of_an_export(as_user: ClientFactory) -> None:
    owner, text = as_user("owner"), "a\n\r\r\n\\\u2028\\\\\u2029\\u2028 \u00a0\u180e\ufeff\tz"
    await import_records(owner, task_record(uuid4(), description=text))

    exported = (await owner.get(f"{OWNER_PATH}/export")).content

    assert len(exported.decode().splitlines()) == len(exported.splitlines()) == 1
    [line] = await export(owner)
    assert line["description"] == text
    assert await import_records(owner, line) == (0, 0, 1, 0)


async def test_a_stream_of_nothing_changes_nothing(as_user: ClientFactory) -> None:
    assert await import_records(as_user("owner")) == (0, 0, 0, 0)
