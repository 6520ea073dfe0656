"""Merging: write all staged tasks of an import to the tasks of its owner, in one transaction."""

from typing import NamedTuple, cast

from common.database import Transaction, open_transaction
from tasks.transfer.batching import LineRange
from tasks.transfer.deadlines import within_deadline
from tasks.transfer.errors import id_taken, import_interrupted, quota_exceeded
from tasks.transfer.import_run import ImportRun
from tasks.transfer.linking import link_tasks
from tasks.transfer.queries.merge import MERGE_TASKS
from tasks.transfer.queries.owner import LOCK_OWNER, PLAN_EACH_TIME
from tasks.transfer.queries.staging import END_IMPORT, LOCK_IMPORT
from tasks.transfer.resolver import ResolvedIds
from tasks.transfer.schemas import ImportReport


class _LockedOwner(NamedTuple):
    """The owner before the import: the counter, and whether any task names another one."""

    version: int
    has_links: bool


async def merge_import(run: ImportRun) -> ImportReport:
    """Lock the owner, resolve lists and labels, merge and link the tasks, and delete the import.

    Raises:
        Unprocessable: The owner would have more than allowed, a task is in a list that does not
            exist, or a link between tasks breaks a rule.
        Conflict: Another user took one of the ids, or the import was deleted.
        Unavailable: The database takes too long.
    """
    context = run.context
    async with (
        context.limits.merge_slot(context.user.id, context.write_slot()),
        open_transaction(context.database) as transaction,
    ):
        await within_deadline(transaction.fetch_one(PLAN_EACH_TIME))
        owner = await _lock(transaction, run)
        resolved = await within_deadline(run.references.resolve(transaction, context.user))
        report = resolved.report
        for line_range in run.ranges:
            merged = await within_deadline(_merge_range(transaction, run, line_range, resolved))
            report = report.plus(merged)
        if run.has_links or owner.has_links:
            report = report.plus(await link_tasks(transaction, run, owner.version))
        await within_deadline(
            transaction.fetch_one(
                END_IMPORT, current_user_id=context.user.id, current_import_id=run.id
            )
        )
    return report


async def _lock(transaction: Transaction, run: ImportRun) -> _LockedOwner:
    """Lock the owner first and then the import: the order in which an erasure does.

    Raises:
        Conflict: The import was deleted.
    """
    for statement in (LOCK_OWNER, LOCK_IMPORT):
        row = await within_deadline(
            transaction.fetch_one(
                statement, current_user_id=run.context.user.id, current_import_id=run.id
            )
        )
        if row is None:
            raise import_interrupted()
    return _LockedOwner(
        version=cast("int", row["counter"]), has_links=cast("bool", row["has_links"])
    )


async def _merge_range(
    transaction: Transaction, run: ImportRun, line_range: LineRange, resolved: ResolvedIds
) -> ImportReport:
    tasks_max = run.context.tasks_max
    [row] = await transaction.fetch_all(
        MERGE_TASKS,
        current_user_id=run.context.user.id,
        current_import_id=run.id,
        first_line=line_range.first,
        last_line=line_range.last,
        file_list_ids=list(resolved.list_ids),
        list_ids=list(resolved.list_ids.values()),
        label_names=list(resolved.label_ids),
        label_ids=list(resolved.label_ids.values()),
    )
    if row["created"] and cast("int", row["task_count"]) > tasks_max:
        raise quota_exceeded(tasks_max, "tasks")
    if row["id_conflicts"]:
        raise id_taken()
    return ImportReport(
        created=row["created"],
        updated=row["updated"],
        unchanged=row["unchanged"],
        renumbered=row["renumbered"],
    )
