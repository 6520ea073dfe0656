"""The endpoint of the changes feed."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic_core import to_json
from starlette.routing import Route

from common.media_types import JSON_TYPE
from common.problems import MethodNotAllowed
from common.validation import QueryParams
from tasks.core.dependencies import ReadContext
from tasks.core.routing import RequestOnlyRoute
from tasks.sync import service
from tasks.sync.schemas import ChangesQuery, ChangesRead
from tasks.sync.service import ChangesPage

router = APIRouter(prefix="/tasks/changes", tags=["tasks"], route_class=RequestOnlyRoute)

_ALLOW_HEADERS = {"Allow": "GET, HEAD, OPTIONS"}

Query = Annotated[ChangesQuery, Depends(QueryParams(ChangesQuery))]


@router.get("", response_model=ChangesRead, responses={410: {}})
async def list_changes(query: Query, context: ReadContext) -> Response:
    """List what happened to tasks, lists and labels since `since`, deletions included.

    410 if deletions since then are no longer known.
    """
    page = await service.list_changes(context, query)
    return Response(_page_json(page), media_type=JSON_TYPE)


def _page_json(page: ChangesPage) -> bytes:
    """Serialize a page. The changes are JSON already."""
    members = (
        b'"tasks":' + _json_array(page.tasks),
        b'"lists":' + _json_array(page.lists),
        b'"labels":' + _json_array(page.labels),
        b'"deleted":' + _json_array(page.deleted),
        b'"next":' + to_json(page.next),
        b'"has_more":' + to_json(page.has_more),
    )
    return b"{" + b",".join(members) + b"}"


def _json_array(items: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


async def _reject_method(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_ALLOW_HEADERS)
    raise MethodNotAllowed(headers=_ALLOW_HEADERS)


_other_methods = Route("/tasks/changes", _reject_method, include_in_schema=False)
# All methods: the others would match `/tasks/{task_id}`, with "changes" as the id.
_other_methods.methods = None
router.routes.append(_other_methods)
