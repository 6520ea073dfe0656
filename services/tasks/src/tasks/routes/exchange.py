"""What the users service asks on behalf of an owner: all they have out, in, or gone. Nobody else can reach it."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from common.frame import DEADLINE_SECONDS
from common.identity import CurrentUser
from common.ndjson import MEDIA_TYPE
from common.reading import NoParameters, Query
from tasks.lines import read_lines
from tasks.service import exchange
from tasks.turns import Caller, ImportEngine

router = APIRouter(prefix="/internal/owner", include_in_schema=False, dependencies=[Depends(Query(NoParameters))])


@router.get("/export")
async def export_owner(request: Request, caller: Caller) -> Response:
    """Write all that the caller has, a line each."""
    return StreamingResponse(_in_time(request, exchange.export_owner(*caller)), media_type=MEDIA_TYPE)


@router.post("/import")
async def import_owner(request: Request, user: CurrentUser, engine: ImportEngine) -> Response:
    """Take in what was exported, all or nothing."""
    tasks_max = request.app.state.settings.tasks_per_user_max
    lines = read_lines(_in_time(request, request.stream()))
    report = await exchange.import_owner(engine, user, lines, tasks_max, partial(_put_off, request))
    return JSONResponse(report)


@router.delete("", status_code=204)
async def erase_owner(caller: Caller) -> None:
    """Forget the caller, with all that is theirs."""
    await exchange.erase_owner(*caller)


async def _in_time(request: Request, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        _put_off(request)
        yield piece


def _put_off(request: Request) -> None:
    """Give a request that gets on its time anew."""
    request.scope["deadline"].reschedule(asyncio.get_running_loop().time() + DEADLINE_SECONDS)
