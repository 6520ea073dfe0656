"""The addresses of labels, which tasks make."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body
from tasks.conditions import Expected, Seen
from tasks.fields.names import EXAMPLE_LABEL
from tasks.routes.answers import CHANGED, DELETED, READ, Answers, tagged
from tasks.routes.direct import DirectRoute
from tasks.routes.needs import KeptDays, NoQuery
from tasks.schemas.labels import LabelChange, LabelListed, LabelRead
from tasks.service import labels
from tasks.turns import Caller, Turn

router = APIRouter(prefix="/labels", tags=["labels"], route_class=DirectRoute)

_LABEL = TypeAdapter(LabelRead)
_LABELS = TypeAdapter(list[LabelListed])

LabelId = Annotated[UUID, Path(description="The label.", examples=[EXAMPLE_LABEL])]
Change = Annotated[LabelChange, Depends(Body(LabelChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))]

_CHANGED: Final[Answers] = {**CHANGED, 409: {}}


@router.get("", response_model=list[LabelListed], responses=READ)
async def list_labels(seen: Seen, _: NoQuery, caller: Caller) -> Response:
    """List the caller's labels by name, each with the number of tasks that carry it."""
    found = await labels.find_labels(*caller, seen)
    return tagged(_LABELS.dump_json(found.labels), found.version, seen=seen)


@router.get("/{label_id}", response_model=LabelRead, responses=READ)
async def get_label(label_id: LabelId, seen: Seen, _: NoQuery, caller: Caller) -> Response:
    """Show one label; 404 if it is not the caller's."""
    found = await labels.get_label(*caller, label_id)
    return tagged(_LABEL.dump_json(found), found["version"], seen=seen)


@router.patch("/{label_id}", response_model=LabelRead, responses=_CHANGED)
async def change_label(label_id: LabelId, expected: Expected, change: Change, turn: Turn) -> Response:
    """Rename a label on all tasks that carry it; 404 if it is not the caller's."""
    async with turn as caller:
        changed = await labels.change_label(*caller, label_id, change, expected)
    return tagged(_LABEL.dump_json(changed), changed["version"])


@router.delete("/{label_id}", status_code=204, responses=DELETED)
async def delete_label(label_id: LabelId, expected: Expected, _: NoQuery, turn: Turn, kept_days: KeptDays) -> Response:
    """Delete a label, and take it off all tasks; 404 if it is not the caller's."""
    async with turn as caller:
        await labels.delete_label(*caller, label_id, expected, kept_days)
    return Response(status_code=204)
