"""Deletions of many tasks delete expired tombstones, and say so to devices that were away long."""

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import create_task, json_object
from ..support.import_export import run_sql


async def test_a_deletion_that_deletes_nothing_prunes_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(2):
        task = await create_task(owner)
        await owner.delete(f"/tasks/{task['id']}")
    await run_sql(proxy, "UPDATE task_tombstones SET deleted_at = '2000-01-01'")

    await json_object(await owner.delete("/tasks?status=completed"))
    await create_task(owner)
    await json_object(await owner.delete("/tasks?status=pending", headers={"If-Match": '"1"'}), 412)

    assert await run_sql(proxy, "SELECT count(*) FROM task_tombstones") == [(2,)]
    await json_object(await owner.delete("/tasks?status=pending"))
    [(count, pruned)] = await run_sql(
        proxy,
        "SELECT (SELECT count(*) FROM task_tombstones), pruned_version > 0 FROM owners",
    )
    assert (count, pruned) == (1, True)
