"""What the users service asks on behalf of an owner: all they have out, in, or gone. Nobody else can reach it."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from common.identity import CurrentUser
from common.middleware import DEADLINE_SECONDS
from common.ndjson import MEDIA_TYPE
from common.uploads import IMPORT_LIMITS, read_upload, with_pauses
from common.validation import NoParameters, QueryParams
from tasks.core.dependencies import ReadContext
from tasks.transfer import service as exchange
from tasks.transfer.imports import Limits, import_owner
from tasks.transfer.ndjson import split_lines

MERGE_SECONDS: Final = 45.0
"""How long an import may take when all of it is there, its waiting for others included: less than its caller waits."""

PAUSE_SECONDS: Final = 0.5
"""After how long without anything what has come so far is read, be it little."""

router = APIRouter(
    prefix="/internal/owner",
    include_in_schema=False,
    dependencies=[Depends(QueryParams(NoParameters))],
)


@router.get("/export")
async def export_owner(request: Request, context: ReadContext) -> Response:
    """Write all that the caller has, a line each."""
    return StreamingResponse(
        _in_time(request, exchange.export_owner(context)), media_type=MEDIA_TYPE
    )


@router.post("/import")
async def import_from_lines(request: Request, user: CurrentUser) -> Response:
    """Take in what was exported, all or nothing."""
    state = request.app.state
    limits = Limits(
        state.imports, state.concurrency.writes.slots_of(user.id), state.settings.tasks_per_user_max
    )
    async with state.imports.uploads.slots_of(user.id):
        upload = read_upload(request, IMPORT_LIMITS, MERGE_SECONDS)
        async with aclosing(with_pauses(upload, PAUSE_SECONDS)) as pieces:
            report = await import_owner(state.engine, user, limits, split_lines(pieces))
    return JSONResponse(report)


@router.delete("", status_code=204)
async def erase_owner(context: ReadContext) -> None:
    """Forget the caller, with all that is theirs."""
    await exchange.erase_owner(context)


async def _in_time(request: Request, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        _put_off(request)
        yield piece


def _put_off(request: Request) -> None:
    """Give a request that gets on its time anew."""
    request.scope["deadline"].reschedule(asyncio.get_running_loop().time() + DEADLINE_SECONDS)
