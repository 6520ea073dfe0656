"""Linking: once all tasks of an import are merged, make them subtasks and successors."""

from typing import Final, cast

from common.database import Row, Transaction
from common.problems import FieldError, Unprocessable
from tasks.core.quotas import SUBTASKS_MAX
from tasks.transfer.batching import LineRange
from tasks.transfer.deadlines import within_deadline
from tasks.transfer.import_run import ImportRun
from tasks.transfer.queries.links import CHECK_LINKS, FIND_CONFLICTS, FOLLOW_PARENTS, LINK_TASKS
from tasks.transfer.schemas import ImportReport

_NESTED: Final = "nested-too-deep"
_CONTRADICTION: Final = "contradiction"

_CODES: Final = {
    "own-parent": _NESTED,
    "parent-is-subtask": _NESTED,
    "has-subtasks": _NESTED,
    "recurs": _CONTRADICTION,
    "elsewhere": _CONTRADICTION,
    "too-many": "quota-exceeded",
}
"""The code of the problem for each `conflict` of a line."""

_SENTENCES: Final = {
    "own-parent": "A task cannot be a subtask of itself.",
    "parent-is-subtask": "A subtask has no subtasks.",
    "has-subtasks": "A task with subtasks is no subtask itself.",
    "recurs": "A subtask does not repeat.",
    "elsewhere": "A subtask is in the list of its parent.",
    "too-many": f"A task may have {SUBTASKS_MAX} subtasks at most.",
}

_DECIDED_BY_ALL_LINES: Final = frozenset({"has-subtasks", "too-many"})
"""Conflicts of a task with several others. They are reported if no line is wrong by itself."""


async def link_tasks(transaction: Transaction, run: ImportRun, version_before: int) -> ImportReport:
    """Write the links of the merged tasks; subtasks follow their parents into other lists.

    Args:
        transaction: The one that merged them.
        run: The import.
        version_before: The owner's counter before the import.

    Returns:
        Which tasks were updated although the merge had left them unchanged.

    Raises:
        Unprocessable: A link breaks a rule. The line is named.
        Unavailable: The database takes too long.
    """
    report = ImportReport()
    for line_range in run.ranges:
        row = await within_deadline(_link_range(transaction, run, line_range, version_before))
        if row["own_parent_line"] is not None:
            raise _problem(cast("int", row["own_parent_line"]), "own-parent")
        updated = cast("int", row["updated"])
        report = report.plus(ImportReport(updated=updated, unchanged=-updated))
    [flaws] = await within_deadline(
        transaction.fetch_all(CHECK_LINKS, current_user_id=run.context.user.id)
    )
    if any(flaws.values()):
        await _raise_conflicts(transaction, run)
    if flaws["has_wanderers"]:
        await within_deadline(
            transaction.fetch_all(
                FOLLOW_PARENTS,
                current_user_id=run.context.user.id,
                version_before=version_before,
            )
        )
    return report


async def _link_range(
    transaction: Transaction, run: ImportRun, line_range: LineRange, version_before: int
) -> Row:
    [row] = await transaction.fetch_all(
        LINK_TASKS,
        current_user_id=run.context.user.id,
        current_import_id=run.id,
        first_line=line_range.first,
        last_line=line_range.last,
        version_before=version_before,
    )
    return row


async def _raise_conflicts(transaction: Transaction, run: ImportRun) -> None:
    """Raise the problem of the first line that is wrong by itself, else of the last other one.

    There may be none: then subtasks only follow their parents.
    """
    problem: Unprocessable | None = None
    for line_range in run.ranges:
        rows = await within_deadline(
            transaction.fetch_all(
                FIND_CONFLICTS,
                current_user_id=run.context.user.id,
                current_import_id=run.id,
                first_line=line_range.first,
                last_line=line_range.last,
            )
        )
        for row in rows:
            conflict = cast("str", row["conflict"])
            problem = _problem(cast("int", row["line"]), conflict)
            if conflict not in _DECIDED_BY_ALL_LINES:
                raise problem
    if problem is not None:
        raise problem


def _problem(line_number: int, conflict: str) -> Unprocessable:
    code = _CODES[conflict]
    message = _SENTENCES[conflict]
    error = FieldError(location=["body", line_number, "parent_id"], code=code, message=message)
    return Unprocessable(code, f"Line {line_number} breaks a rule. {message}", errors=[error])
