"""The addresses at which users take all that is theirs with them, bring it, or have it forgotten."""

from collections.abc import AsyncIterable, AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter
from starlette.responses import StreamingResponse

from common.authentication import CurrentUser
from common.media_types import JSON_TYPE, NDJSON_TYPE, require_unencoded
from common.middleware import DEADLINE_SECONDS
from common.problems import BodyTooLarge, UnsupportedMediaType
from common.request_state import RequestState
from common.uploads import IMPORT_LIMITS, read_upload
from common.validation import NoParameters, QueryParams
from users import service
from users.lines import joined, write_start
from users.peers import REPORT_SECONDS, TasksClient
from users.routes.needs import DbSession
from users.schemas import EXAMPLE_LINES, ImportRead

router = APIRouter(prefix="/users/me", tags=["users"])

_REPORT = TypeAdapter(ImportRead)
_LINES: Final[dict[str, Any]] = {
    NDJSON_TYPE: {"schema": {"type": "string", "examples": [EXAMPLE_LINES]}}
}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {200: {"content": _LINES}}
_IMPORTED: Final[dict[int | str, dict[str, Any]]] = {408: {}, 409: {}, 415: {}, 422: {}}
_IMPORT_BODY: Final = {"requestBody": {"required": True, "content": _LINES}}


async def _tasks(request: Request, user: CurrentUser) -> TasksClient:
    return TasksClient(request.app.state.tasks, user, RequestState.of(request.scope).request_id)


Address = Depends(QueryParams(NoParameters))
Tasks = Annotated[TasksClient, Depends(_tasks)]


async def _task_lines(tasks: Tasks) -> AsyncIterator[AsyncIterator[bytes]]:
    async with tasks.export() as lines:
        yield lines


async def _require_lines(request: Request, _: CurrentUser) -> None:
    """Refuse what is announced too long or is of another type, before anything is read."""
    if int(request.headers.get("content-length", 0)) > IMPORT_LIMITS.bytes_max:
        raise BodyTooLarge
    require_unencoded(request)
    sent = request.headers.getlist("content-type")
    if len(sent) != 1 or sent[0].partition(";")[0].strip().lower() != NDJSON_TYPE:
        raise UnsupportedMediaType("unsupported-media-type", f"The body must be {NDJSON_TYPE}.")


TaskLines = Annotated[AsyncIterator[bytes], Depends(_task_lines)]
HasLines = Annotated[None, Depends(_require_lines)]


@router.get(
    "/export", response_class=StreamingResponse, responses=_EXPORTED, dependencies=[Address]
)
async def export_me(
    request: Request, user: CurrentUser, session: DbSession, lines: TaskLines
) -> Response:
    """Show all that the caller has, one JSON object a line: the profile, then lists, labels and tasks."""
    start = write_start(await service.get_user(session, user))
    return StreamingResponse(_in_time(request, joined(start, lines)), media_type=NDJSON_TYPE)


@router.post("/import", response_model=ImportRead, responses=_IMPORTED, openapi_extra=_IMPORT_BODY)
async def import_me(
    request: Request,
    _: HasLines,
    __: Annotated[object, Address],
    user: CurrentUser,
    session: DbSession,
    tasks: Tasks,
) -> Response:
    """Take in what was exported, here or elsewhere: all of it, or nothing when a line is bad.

    A task that the caller has under the same id is replaced. A list or a label is found by its id, else by its name,
    and stays as it is; else it is made. An id that somebody else has becomes another one, and the same one the next
    time. At most 64 MiB; more comes in parts, each with the first line and the lists. It must have come within 50
    seconds, and at 1 KiB a second or more. Two imports of one caller are read at the same time, others wait a while.
    """
    async with request.app.state.uploads.for_user(user.id):
        pieces = read_upload(request, IMPORT_LIMITS, REPORT_SECONDS)
        report = await service.import_user(session, user, tasks, pieces)
    return Response(_REPORT.dump_json(report), media_type=JSON_TYPE)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, dependencies=[Address])
async def erase_me(user: CurrentUser, session: DbSession, tasks: Tasks) -> None:
    """Forget the caller and all their tasks, for good. After a 503 nothing is lost, and the same call completes it."""
    await service.erase_user(session, user, tasks)


async def _in_time(request: Request, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        _put_off(request, DEADLINE_SECONDS)
        yield piece


def _put_off(request: Request, seconds: float) -> None:
    """Give a request that gets on its time anew."""
    RequestState.of(request.scope).extend_deadline(seconds)
