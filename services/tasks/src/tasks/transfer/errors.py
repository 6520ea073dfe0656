"""The problems of an import that more than one of its steps can raise."""

from common.problems import RETRY_SOON, Conflict, Unprocessable


def quota_exceeded(maximum: int, plural: str) -> Unprocessable:
    """Return the problem of an owner who would have more tasks, lists or labels than allowed."""
    return Unprocessable("quota-exceeded", f"One user may have {maximum} {plural} at most.")


def id_taken() -> Conflict:
    """Return the problem of an id that another user took while the import was merged."""
    return Conflict(
        "id-taken",
        "Somebody else took an id at this moment; send all of it again.",
        headers=RETRY_SOON,
    )


def import_interrupted() -> Conflict:
    """Return the problem of an import that an erasure or a crash deleted while it was sent."""
    return Conflict(
        "import-interrupted", "What was sent is gone; send all of it again.", headers=RETRY_SOON
    )
