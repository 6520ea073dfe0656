"""The feed of changes."""

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
from tasks.sync import service as changes
from tasks.sync.schemas import ChangesQuery, ChangesRead

router = APIRouter(prefix="/tasks/changes", tags=["tasks"], route_class=RequestOnlyRoute)

_READ_ONLY = {"Allow": "GET, HEAD, OPTIONS"}

Feed = Annotated[ChangesQuery, Depends(QueryParams(ChangesQuery))]


@router.get("", response_model=ChangesRead, responses={410: {}})
async def list_changes(query: Feed, context: ReadContext) -> Response:
    """List what happened to tasks, lists and labels since the last time, deletions too; 410 when it is too long ago."""
    page = await changes.find_changes(context, query)
    parts = {
        "tasks": _array(page.tasks),
        "lists": _array(page.lists),
        "labels": _array(page.labels),
        "deleted": _array(page.deleted),
        "next": to_json(page.next),
        "has_more": to_json(page.has_more),
    }
    body = (
        b"{" + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in parts.items()) + b"}"
    )
    return Response(body, media_type=JSON_TYPE)


def _array(texts: Sequence[bytes]) -> bytes:
    """Put JSON that is written already into an array."""
    return b"[" + b",".join(texts) + b"]"


async def _refuse_to_change(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_READ_ONLY)
    raise MethodNotAllowed(headers=_READ_ONLY)


_every_other_verb = Route("/tasks/changes", _refuse_to_change, include_in_schema=False)
_every_other_verb.methods = None  # or the word would be read as the id of a task
router.routes.append(_every_other_verb)
