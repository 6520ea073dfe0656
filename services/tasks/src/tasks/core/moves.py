"""Run the statement that moves a row: repeat it while it is stale, or replay a stored response."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Executable

from common.context import RequestContext
from common.database import Row, fetch_one
from tasks.core.conflicts import require_found
from tasks.core.creation import (
    StoredResponse,
    execute_or_conflict,
    idempotency_params,
    replay,
    stored_response,
)
from tasks.core.idempotency import GET_STORED_RESPONSE


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a row moves: to the start, to the end, or after another row."""

    to_start: bool
    to_end: bool
    after: UUID | None

    def params(self) -> Row:
        """Return the parameters of the statement."""
        return {"to_start": self.to_start, "to_end": self.to_end, "after": self.after}

    def fingerprint_content(self, target_id: UUID) -> dict[str, str]:
        """Return what makes two moves of a row the same request.

        The names are part of stored fingerprints: a change rejects retries across a release.
        """
        return {
            "wanted": str(target_id),
            "goes_first": str(self.to_start),
            "goes_last": str(self.to_end),
            "after": str(self.after),
        }


async def move_row(
    context: RequestContext,
    kind: str,
    statement: Executable,
    params: Row,
    *,
    key: str | None,
    fingerprint_content: Mapping[str, str],
) -> StoredResponse:
    """Move a row, or return the stored response of an earlier request with the same key.

    Args:
        context: The user and the database.
        kind: `task` or `list`.
        statement: Moves the row. With a key it stores the response.
        params: Parameters of the statement, beside the user and those of the key.
        key: The `Idempotency-Key` of the request, if it has one.
        fingerprint_content: What makes two requests the same one.

    Raises:
        NotFound: The user has no such row.
        Unprocessable: The target list or the row to follow does not exist, or the key was used for
            another request.
        PreconditionFailed: The row has another version.
        Conflict: A request with this key may still be running.
    """
    key_params = idempotency_params(f"move-{kind}", key, fingerprint_content)
    statement_params = {"current_user_id": context.user.id} | dict(params) | dict(key_params)
    while True:
        moved = await execute_or_conflict(context.database, statement, **statement_params)
        if moved is None and key is not None:
            stored = await fetch_one(context.database, GET_STORED_RESPONSE, statement_params)
            if stored is not None:
                return replay(stored, key_params["fingerprint"])
        if moved is None or moved["conflict"] != "stale":
            return stored_response(require_found(moved, kind), replayed=False)
