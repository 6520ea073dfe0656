"""Why a statement did not write, and the problems that this becomes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, case

from common.database import Row
from common.problems import Conflict, NotFound, PreconditionFailed, ProblemError, Unprocessable
from tasks.core.quotas import LABELS_MAX, SUBTASKS_MAX
from tasks.core.types.names import LABELS_ON_TASK_MAX


class ConflictCode(StrEnum):
    """What a statement returns as `conflict` if it does not write."""

    STALE = "stale"
    """Another write of the owner committed first. The statement has to run again."""

    LIST_NOT_FOUND = "list-not-found"
    AFTER_NOT_FOUND = "after-not-found"
    LABELS_FULL = "labels-full"
    TASK_LABELS_FULL = "task-labels-full"
    NAME_TAKEN = "name-taken"
    VERSION_MISMATCH = "version-mismatch"
    PARENT_NOT_FOUND = "parent-not-found"
    NESTED_TOO_DEEP = "nested-too-deep"
    CONTRADICTION = "contradiction"
    SUBTASKS_FULL = "subtasks-full"
    RECURRENCE_WITHOUT_DUE = "recurrence-without-due"

    RECURS = "recurs"
    """The write makes the next occurrence of a task, or may take it back. The statement cannot do
    that alone.
    """


_UNPROCESSABLE: Final[Mapping[ConflictCode, str]] = {
    ConflictCode.LIST_NOT_FOUND: "There is no such list.",
    ConflictCode.AFTER_NOT_FOUND: "What it shall follow is not there.",
    ConflictCode.LABELS_FULL: f"One user may have {LABELS_MAX} labels at most.",
    ConflictCode.TASK_LABELS_FULL: f"One task may carry {LABELS_ON_TASK_MAX} labels at most.",
    ConflictCode.PARENT_NOT_FOUND: "There is no task that could be the parent.",
    ConflictCode.NESTED_TOO_DEEP: "A subtask has no subtasks, and no task is its own parent.",
    ConflictCode.CONTRADICTION: "A subtask is in the list of its parent, and does not repeat.",
    ConflictCode.SUBTASKS_FULL: f"One task may have {SUBTASKS_MAX} subtasks at most.",
    ConflictCode.RECURRENCE_WITHOUT_DUE: "A task that repeats needs a due date.",
}
"""What breaks a rule, in the words of the problem."""

_CODES_OF_MISSING: Final = {
    "task": "task-not-found",
    "list": "list-not-found",
    "label": "label-not-found",
}


def first_conflict(
    *rules: tuple[ColumnElement[bool], ConflictCode],
) -> ColumnElement[Any]:
    """Return the code of the first rule whose condition is true, or null if none is."""
    return case(*[(condition, code.value) for condition, code in rules])


def raise_conflict(code: ConflictCode) -> NoReturn:
    """Raise the problem for the client.

    Raises:
        Unprocessable: The request names something that does not exist, a quota is reached, or
            the task would break a rule of subtasks or of recurrence.
        Conflict: The name is taken.
        PreconditionFailed: The version does not match `If-Match`.
    """
    raise _problem_of(code)


def _problem_of(code: ConflictCode) -> ProblemError:
    match code:
        case ConflictCode.NAME_TAKEN:
            return Conflict(code.value, "Another one has this name.")
        case ConflictCode.VERSION_MISMATCH:
            return PreconditionFailed(
                code.value, "It has another version than the request expects."
            )
        case ConflictCode.LABELS_FULL | ConflictCode.TASK_LABELS_FULL | ConflictCode.SUBTASKS_FULL:
            return Unprocessable("quota-exceeded", _UNPROCESSABLE[code])
        case (
            ConflictCode.LIST_NOT_FOUND
            | ConflictCode.AFTER_NOT_FOUND
            | ConflictCode.PARENT_NOT_FOUND
            | ConflictCode.NESTED_TOO_DEEP
            | ConflictCode.CONTRADICTION
            | ConflictCode.RECURRENCE_WITHOUT_DUE
        ):
            return Unprocessable(code.value, _UNPROCESSABLE[code])
        case ConflictCode.STALE | ConflictCode.RECURS:
            raise ValueError(code)  # the callers go on from there
        case _:
            assert_never(code)


def require_found(row: Row | None, kind: str) -> Row:
    """Return the row of a `task`, a `list` or a `label` that a statement returned.

    Raises:
        NotFound: There is no row: it does not exist, or another user has it.
        ProblemError: The row has a `conflict`; see `raise_conflict`.
    """
    if row is None:
        raise NotFound(_CODES_OF_MISSING[kind], f"There is no such {kind}.")
    conflict = row.get("conflict")
    if conflict is not None:
        raise_conflict(ConflictCode(str(conflict)))
    return row


def require_matching_id(path_id: UUID, body_id: UUID | None) -> None:
    """Raise `Unprocessable` if the body has another id than the path."""
    if body_id is not None and body_id != path_id:
        raise Unprocessable("id-mismatch", "The body holds another one than the address names.")
