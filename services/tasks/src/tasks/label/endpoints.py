"""The addresses of labels, which tasks make."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody
from tasks.core.dependencies import NoQueryParams, ReadContext, RetentionDays, WriteContext
from tasks.core.preconditions import IfMatch, IfNoneMatch
from tasks.core.responses import CHANGED, DELETED, READ, Responses, with_etag
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types.names import EXAMPLE_LABEL
from tasks.label import service as labels
from tasks.label.schemas import LabelChange, LabelRead, LabelWithCount

router = APIRouter(prefix="/labels", tags=["labels"], route_class=RequestOnlyRoute)

_LABEL = TypeAdapter(LabelRead)
_LABELS = TypeAdapter(list[LabelWithCount])

LabelId = Annotated[UUID, Path(description="The label.", examples=[EXAMPLE_LABEL])]
Change = Annotated[
    LabelChange, Depends(JsonBody(LabelChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))
]

_CHANGED: Final[Responses] = {**CHANGED, 409: {}}


@router.get("", response_model=list[LabelWithCount], responses=READ)
async def list_labels(
    if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """List the caller's labels by name, each with the number of tasks that carry it."""
    found = await labels.find_labels(context, if_none_match)
    return with_etag(_LABELS.dump_json(found.labels), found.version, if_none_match=if_none_match)


@router.get("/{label_id}", response_model=LabelRead, responses=READ)
async def get_label(
    label_id: LabelId, if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """Show one label; 404 if it is not the caller's."""
    found = await labels.get_label(context, label_id)
    return with_etag(_LABEL.dump_json(found), found["version"], if_none_match=if_none_match)


@router.patch("/{label_id}", response_model=LabelRead, responses=_CHANGED)
async def change_label(
    label_id: LabelId, if_match: IfMatch, change: Change, context: WriteContext
) -> Response:
    """Rename a label on all tasks that carry it; 404 if it is not the caller's."""
    async with context.write_slot():
        changed = await labels.change_label(context, label_id, change, if_match)
    return with_etag(_LABEL.dump_json(changed), changed["version"])


@router.delete("/{label_id}", status_code=204, responses=DELETED)
async def delete_label(
    label_id: LabelId,
    if_match: IfMatch,
    _: NoQueryParams,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a label, and take it off all tasks; 404 if it is not the caller's."""
    async with context.write_slot():
        await labels.delete_label(context, label_id, if_match, retention_days)
    return Response(status_code=204)
