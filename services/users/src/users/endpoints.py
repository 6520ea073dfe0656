"""The endpoints: profiles, and export, import and erasure of everything that a user has."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter
from starlette.responses import StreamingResponse

from common.media_types import JSON_TYPE, NDJSON_TYPE
from common.streaming import prepend, with_deadline_per_chunk
from common.uploads import IMPORT_LIMITS, read_upload
from common.validation import NoParameters, QueryParams
from users import service
from users.clients import IMPORT_RESPONSE_SECONDS
from users.dependencies import (
    ChangeBody,
    Context,
    ImportHeaders,
    NoQueryParams,
    TaskLines,
    TasksClient,
)
from users.ndjson import write_header
from users.schemas import EXAMPLE_LINES, EXAMPLE_USER, ImportRead, UserRead

router = APIRouter(tags=["users"])

_USER = TypeAdapter(UserRead)
_IMPORT_RESULT = TypeAdapter(ImportRead)

_NDJSON_CONTENT: Final[dict[str, Any]] = {
    NDJSON_TYPE: {"schema": {"type": "string", "examples": [EXAMPLE_LINES]}}
}
_EXPORT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {200: {"content": _NDJSON_CONTENT}}
_IMPORT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {408: {}, 409: {}, 415: {}, 422: {}}
_IMPORT_BODY: Final = {"requestBody": {"required": True, "content": _NDJSON_CONTENT}}

_no_query_params = Depends(QueryParams(NoParameters))

UserId = Annotated[
    UUID,
    Path(
        description="The user's own id, as in GET /users/me. The user's id at Better Auth is "
        "another one, unless it is a UUID.",
        examples=[EXAMPLE_USER],
    ),
]


@router.get("/users/me", response_model=UserRead, dependencies=[_no_query_params])
async def get_me(context: Context) -> Response:
    """Show the user's profile."""
    return _profile_response(await service.get_user(context))


@router.patch("/users/me", response_model=UserRead)
async def change_me(change: ChangeBody, context: Context) -> Response:
    """Change the user's time zone; a body without one changes nothing."""
    return _profile_response(await service.change_user(context, change))


@router.get("/users/{user_id}", response_model=UserRead, dependencies=[_no_query_params])
async def get_user(user_id: UserId, context: Context) -> Response:
    """Show the user's profile by id; 403 for every other user."""
    return _profile_response(await service.get_user_by_id(context, user_id))


@router.put(
    "/internal/users/me",
    status_code=HTTPStatus.NO_CONTENT,
    include_in_schema=False,
    dependencies=[_no_query_params],
)
async def ensure_me(context: Context) -> None:
    """Make sure that the user's profile exists and agrees with the token."""
    await service.get_user(context)


@router.get(
    "/users/me/export",
    response_class=StreamingResponse,
    responses=_EXPORT_RESPONSES,
    dependencies=[_no_query_params],
)
async def export_me(request: Request, context: Context, task_lines: TaskLines) -> Response:
    """Export all that the user has, one JSON object a line: profile, lists, labels and tasks."""
    header = write_header(await service.get_user(context))
    chunks = with_deadline_per_chunk(request, prepend(header, task_lines))
    return StreamingResponse(chunks, media_type=NDJSON_TYPE)


@router.post(
    "/users/me/import",
    response_model=ImportRead,
    responses=_IMPORT_RESPONSES,
    openapi_extra=_IMPORT_BODY,
)
async def import_me(
    request: Request, _: ImportHeaders, __: NoQueryParams, context: Context, tasks: TasksClient
) -> Response:
    """Import what was exported, here or elsewhere: all of it, or nothing if a line is invalid.

    A task that the user has under the same id is replaced. A list or a label is matched by its id,
    else by its name, and stays as it is; otherwise it is created. An id that another user has is
    replaced by another one, the same one in every import. At most 64 MiB; more comes in parts, each
    with the first line and the lists. The body must arrive within 50 seconds, and at 1 KiB per
    second or more. Two imports of one user are read at the same time; others wait.
    """
    async with request.app.state.uploads.for_user(context.user.id):
        chunks = read_upload(request, IMPORT_LIMITS, IMPORT_RESPONSE_SECONDS)
        result = await service.import_user(context, tasks, chunks)
    return Response(_IMPORT_RESULT.dump_json(result), media_type=JSON_TYPE)


@router.delete("/users/me", status_code=HTTPStatus.NO_CONTENT, dependencies=[_no_query_params])
async def erase_me(context: Context, tasks: TasksClient) -> None:
    """Erase the user and all their tasks, for good.

    After a 503 nothing is lost, and the same request completes the erasure.
    """
    await service.erase_user(context, tasks)


def _profile_response(profile: UserRead) -> Response:
    return Response(_USER.dump_json(profile), media_type=JSON_TYPE)
