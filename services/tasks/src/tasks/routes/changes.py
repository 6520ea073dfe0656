"""The feed of changes."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic_core import to_json
from starlette.routing import Route

from common.errors import MethodNotAllowed
from common.reading import JSON_TYPE, Query
from tasks.routes.direct import DirectRoute
from tasks.schemas.changes import ChangesQuery, ChangesRead
from tasks.service import changes
from tasks.turns import Caller

router = APIRouter(prefix="/tasks/changes", tags=["tasks"], route_class=DirectRoute)

_READ_ONLY = {"Allow": "GET, HEAD, OPTIONS"}

Feed = Annotated[ChangesQuery, Depends(Query(ChangesQuery))]


@router.get("", response_model=ChangesRead, responses={410: {}})
async def list_changes(query: Feed, caller: Caller) -> Response:
    """List what happened to tasks, lists and labels since the last time, deletions too; 410 when it is too long ago."""
    page = await changes.find_changes(*caller, query)
    parts = {
        "tasks": _array(page.tasks),
        "lists": _array(page.lists),
        "labels": _array(page.labels),
        "deleted": _array(page.deleted),
        "next": to_json(page.next),
        "has_more": to_json(page.has_more),
    }
    body = b"{" + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in parts.items()) + b"}"
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
