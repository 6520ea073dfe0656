"""What is changed while an export is read is not missed."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.types import Message, Receive, Scope, Send

from devkit.testing.auth_headers import ClientFactory

from ..support.import_export import (
    Record,
    erase_owner,
    export,
    import_records,
    list_record,
    task_record,
)
from ..support.service import Service

pytestmark = pytest.mark.usefixtures("small_batches")

GARDEN = list_record()


def export_with_changes(
    service: Service, owner: AsyncClient, text: str, change: Callable[[], Awaitable[object]]
) -> AsyncClient:
    """Return a client whose export pauses for a change after the chunk that contains a text."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_change(message: Message) -> None:
            await send(message)
            if text.encode() in message.get("body", b""):
                await change()

        await service.app(scope, receive, send_and_change)

    return AsyncClient(transport=ASGITransport(app), base_url="http://tasks", headers=owner.headers)


async def restore(owner: AsyncClient, records: list[Record]) -> dict[object, Record]:
    """Import an export in place of what the user has; return the tasks by their titles."""
    await erase_owner(owner)
    await import_records(owner, records)
    return {task["title"]: task for task in (await owner.get("/tasks")).json()}


async def test_a_task_that_stops_being_a_subtask_meanwhile_is_exported(
    as_user: ClientFactory, shared_service: Service
) -> None:
    owner = as_user("owner")
    subtask, parent = str(uuid4()), str(uuid4())
    await import_records(
        owner, [task_record(subtask, "Subtask", parent_id=parent), task_record(parent, "Parent")]
    )

    async def change() -> None:
        response = await owner.patch(f"/tasks/{subtask}", json={"parent_id": None})
        assert response.status_code == 200

    exporting = export_with_changes(shared_service, owner, '"Parent"', change)
    tasks = await restore(owner, await export(exporting))

    assert tasks.keys() == {"Subtask", "Parent"}
    assert tasks["Subtask"]["parent_id"] is None


async def test_tasks_that_are_moved_with_their_parent_meanwhile_can_be_imported(
    as_user: ClientFactory, shared_service: Service
) -> None:
    owner = as_user("owner")
    parent = str(uuid4())
    subtasks = [task_record(uuid4(), f"Subtask {number}", parent_id=parent) for number in range(3)]
    await import_records(owner, [task_record(parent, "Parent"), *subtasks])
    moved = task_record(parent, "Parent", list_id=GARDEN["id"])

    async def change() -> None:
        await import_records(owner, [GARDEN, moved])

    exporting = export_with_changes(shared_service, owner, '"Subtask 0"', change)
    tasks = await restore(owner, await export(exporting))

    assert {task["list_id"] for task in tasks.values()} == {GARDEN["id"]}


async def test_the_export_of_a_user_who_is_erased_meanwhile_ends(
    as_user: ClientFactory, shared_service: Service
) -> None:
    owner = as_user("owner")
    await import_records(owner, [task_record(uuid4(), "Task")])

    async def change() -> None:
        await erase_owner(owner)
        await import_records(owner, [task_record(uuid4(), "New")])

    exporting = export_with_changes(shared_service, owner, '"Task"', change)

    assert [record["title"] for record in await export(exporting)] == ["Task"]
