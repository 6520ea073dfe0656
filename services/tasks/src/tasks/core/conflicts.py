"""What stands in the way of a write, in the words of its statement, and how that is refused."""

from typing import NoReturn
from uuid import UUID

from common.database import Row
from common.problems import Conflict, NotFound, PreconditionFailed, ProblemError, Unprocessable
from tasks.core.quotas import LABELS_MAX


def _refusals() -> dict[str, ProblemError]:
    return {
        "list-not-found": Unprocessable("list-not-found", "There is no such list."),
        "after-not-found": Unprocessable("after-not-found", "What it shall follow is not there."),
        "labels-full": Unprocessable(
            "quota-exceeded", f"One user may have {LABELS_MAX} labels at most."
        ),
        "name-taken": Conflict("name-taken", "Another one has this name."),
        "version-mismatch": PreconditionFailed(
            "version-mismatch", "It has another version than the request expects."
        ),
    }


def _missing() -> dict[str, ProblemError]:
    return {
        "task": NotFound("task-not-found", "There is no such task."),
        "list": NotFound("list-not-found", "There is no such list."),
        "label": NotFound("label-not-found", "There is no such label."),
    }


def raise_conflict(conflict: str) -> NoReturn:
    """Say what stands in the way."""
    raise _refusals()[conflict]


def require_found(found: Row | None, kind: str) -> Row:
    """Return what a statement has found of a task, a list or a label.

    Raises:
        NotFound: There is no such thing, or it is somebody else's.
        Refusal: Something stands in the way.
    """
    if found is None:
        raise _missing()[kind]
    if found.get("conflict") is not None:
        raise_conflict(str(found["conflict"]))
    return found


def require_matching_id(addressed: UUID, sent: UUID | None) -> None:
    """Refuse a body that names another one than the address does."""
    if sent is not None and sent != addressed:
        raise Unprocessable("id-mismatch", "The body holds another one than the address names.")
