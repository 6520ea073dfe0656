"""An invalid line is rejected with its number, and nothing of the import is written."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.import_export import (
    OLD_TIMESTAMP,
    OWNER_PATH,
    Record,
    Report,
    export,
    field_values,
    import_records,
    new_tasks,
    post_import,
    task_record,
    to_ndjson,
)

UNREADABLE_LINES: Final = {
    "broken": b'{"kind": "task"',
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a line separator": "\u2028".encode(),
    "not an object": b"[]",
    "not UTF-8": b'{"kind": "\xff"}',
    "with a byte order mark": b"\xef\xbb\xbf" + to_ndjson([task_record(uuid4())]).strip(),
    "a repeated name": b'{"kind": "task", "kind": "task"}',
    "not a number": b'{"kind": "task", "version": NaN}',
    "too deep": b'{"version": ' + b"[" * 40 + b"]" * 40 + b"}",
    "too long": b" " * 65_537,
    "far too long": b" " * 200_000,
    "two records on one line": to_ndjson([task_record(uuid4())]).strip() * 2,
}

INVALID_FIELDS: Final[dict[str, tuple[Record, int, str]]] = {
    "not a UUID": ({"id": "1"}, 400, "uuid-parsing"),
    "not a text": ({"title": 1}, 400, "string-type"),
    "a lone surrogate": ({"title": "\ud800"}, 400, "json-invalid"),
    "not a time": ({"created_at": "yesterday"}, 400, "datetime-parsing"),
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
    "too late to be parsed": (
        {"updated_at": "9999-12-31T23:59:59.9999999-14:00"},
        422,
        "time-out-of-range",
    ),
    "a contradiction": (
        {"is_completed": True, "status": "pending", "completed_at": OLD_TIMESTAMP},
        422,
        "contradiction",
    ),
    "completed without a time": ({"is_completed": True}, 422, "contradiction"),
    "pending with a completion time": (
        {"status": "pending", "completed_at": OLD_TIMESTAMP},
        422,
        "contradiction",
    ),
}
"""Fields that make a task record invalid, the status and the code of the field error."""


async def in_chunks(content: bytes, size: int) -> AsyncIterator[bytes]:
    """Yield the content in chunks of this size."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("line", UNREADABLE_LINES.values(), ids=UNREADABLE_LINES)
async def test_an_unreadable_line_is_named(as_user: ClientFactory, line: bytes) -> None:
    owner = as_user("owner")
    valid_line = to_ndjson([task_record(uuid4())])

    response = await post_import(owner, valid_line + line + b"\n" + valid_line)

    problem = response.json()
    assert response.status_code == 400
    assert problem["code"] == "bad-request"
    assert problem["detail"] == "Line 3 cannot be read."
    assert [error["location"] for error in problem["errors"]] == [["body", 3]]
    assert await export(owner) == []


@pytest.mark.parametrize(("fields", "status", "code"), INVALID_FIELDS.values(), ids=INVALID_FIELDS)
async def test_the_line_of_an_invalid_task_is_named(
    as_user: ClientFactory, fields: Record, status: int, code: str
) -> None:
    owner = as_user("owner")
    invalid_record = task_record(uuid4()) | fields

    response = await post_import(owner, to_ndjson([*new_tasks(2), invalid_record]))

    problem = response.json()
    assert response.status_code == status
    assert problem["detail"].startswith("Line 4 ")
    assert {error["code"] for error in problem["errors"]} == {code}
    for error in problem["errors"]:
        assert error["location"][:2] == ["body", 4]
    assert await export(owner) == []


async def test_of_many_errors_of_a_line_20_are_listed(as_user: ClientFactory) -> None:
    record = task_record(uuid4())
    for number in range(3_000):
        record[f"x{number}"] = 1

    response = await post_import(as_user("owner"), to_ndjson([record]))

    problem = response.json()
    assert response.status_code == 422
    assert problem["errors_omitted"] == 2_980
    assert [error["location"][:2] for error in problem["errors"]] == [["body", 2]] * 20


@pytest.mark.parametrize("name", ["kind", "id", "title", "created_at", "updated_at"])
async def test_a_missing_field_of_a_task_is_named(as_user: ClientFactory, name: str) -> None:
    record = task_record(uuid4())
    del record[name]

    response = await post_import(as_user("owner"), to_ndjson([record]))

    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["location"] == ["body", 2, name]
    assert error["code"] == "missing"


async def test_times_of_any_zone_are_kept_to_the_microsecond(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    record = task_record(
        uuid4(),
        created_at="1970-01-01T00:00:00z",
        updated_at="2020-02-29T12:00:00.1234567+05:30",
        completed_at="9999-12-31T23:59:59.999999Z",
    )

    assert await import_records(owner, [record]) == Report(created=1)

    [exported] = await export(owner)
    assert exported["created_at"] == "1970-01-01T00:00:00.000000Z"
    assert exported["updated_at"] == "2020-02-29T06:30:00.123456Z"
    assert exported["completed_at"] == "9999-12-31T23:59:59.999999Z"
    assert exported["is_completed"] is True
    assert exported["status"] == "completed"
    assert len((await owner.get("/tasks?limit=1")).json()) == 1


async def test_the_former_owner_and_version_are_ignored(as_user: ClientFactory) -> None:
    record = task_record(uuid4(), user_id=str(uuid4()), version=7)

    assert await import_records(as_user("owner"), [record]) == Report(created=1)


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
async def test_a_stream_may_have_chunks_of_any_size_and_no_final_line_feed(
    as_user: ClientFactory, size: int
) -> None:
    owner = as_user("owner")
    lines = to_ndjson([task_record(uuid4(), "Äpfel"), task_record(uuid4(), "🌵")])
    content = lines.replace(b"\n", b"\r\n").removesuffix(b"\r\n")

    response = await post_import(owner, in_chunks(content, size))

    assert response.json()["created"] == 2
    assert set(field_values(await export(owner), "title")) == {"Äpfel", "🌵"}


@pytest.mark.parametrize(
    "blank", [b"\n", b"\r\n", b" \t\n", b"\n\r\n\n", b" " * 65_535 + b"\n"], ids=len
)
@pytest.mark.parametrize("size", [1_000, 1_000_000])
async def test_blank_lines_are_skipped_and_counted(
    as_user: ClientFactory, blank: bytes, size: int
) -> None:
    owner = as_user("owner")
    first = to_ndjson([task_record(uuid4(), "a")])
    second = to_ndjson([task_record(uuid4(), "b")])
    invalid = to_ndjson([task_record(uuid4(), "")])
    valid_content = blank + first + blank + second + blank
    invalid_line_number = 4 + 3 * blank.count(b"\n")

    response = await post_import(owner, in_chunks(valid_content + invalid, size))
    assert response.json()["detail"] == f"Line {invalid_line_number} breaks a rule."
    assert await export(owner) == []

    response = await post_import(owner, in_chunks(valid_content, size))
    assert response.json()["created"] == 2


async def test_a_record_of_an_export_is_one_line_for_every_reader(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    text = "a\n\r\r\n\\\u2028\\\\\u2029\\u2028 \u00a0\u180e\ufeff\tz"
    await import_records(owner, [task_record(uuid4(), description=text)])

    content = (await owner.get(f"{OWNER_PATH}/export")).content

    assert len(content.decode().splitlines()) == 1
    assert len(content.splitlines()) == 1
    [record] = await export(owner)
    assert record["description"] == text
    assert await import_records(owner, [record]) == Report(unchanged=1)


async def test_an_empty_import_changes_nothing(as_user: ClientFactory) -> None:
    assert await import_records(as_user("owner"), []) == Report()
