"""The endpoints of labels. Tasks create labels."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody
from tasks.core.dependencies import NoQueryParams, ReadContext, RetentionDays, WriteContext
from tasks.core.preconditions import IfMatch, IfNoneMatch
from tasks.core.responses import DELETED, READ, RENAMED, with_etag
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types.names import EXAMPLE_LABEL
from tasks.label import service
from tasks.label.schemas import LabelChange, LabelRead, LabelWithCount

router = APIRouter(prefix="/labels", tags=["labels"], route_class=RequestOnlyRoute)

_LABEL = TypeAdapter(LabelRead)
_LABELS = TypeAdapter(list[LabelWithCount])
_CHANGE_TYPES = (JSON_TYPE, MERGE_PATCH_TYPE)

LabelId = Annotated[UUID, Path(description="The label.", examples=[EXAMPLE_LABEL])]
ChangeBody = Annotated[LabelChange, Depends(JsonBody(LabelChange, media_types=_CHANGE_TYPES))]


@router.get("", response_model=list[LabelWithCount], responses=READ)
async def list_labels(
    if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """List the user's labels by name, each with its number of tasks."""
    result = await service.list_labels(context, if_none_match)
    body = _LABELS.dump_json(result.labels)
    return with_etag(body, result.version, if_none_match=if_none_match)


@router.get("/{label_id}", response_model=LabelRead, responses=READ)
async def get_label(
    label_id: LabelId, if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """Return one label; 404 if it is not the user's."""
    label = await service.get_label(context, label_id)
    return with_etag(_LABEL.dump_json(label), label["version"], if_none_match=if_none_match)


@router.patch("/{label_id}", response_model=LabelRead, responses=RENAMED)
async def change_label(
    label_id: LabelId, if_match: IfMatch, change: ChangeBody, context: WriteContext
) -> Response:
    """Rename a label on all tasks that carry it; 404 if it is not the user's."""
    async with context.write_slot():
        label = await service.change_label(context, label_id, change, if_match)
    return with_etag(_LABEL.dump_json(label), label["version"])


@router.delete("/{label_id}", status_code=204, responses=DELETED)
async def delete_label(
    label_id: LabelId,
    if_match: IfMatch,
    _: NoQueryParams,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a label and remove it from all tasks; 404 if it is not the user's."""
    async with context.write_slot():
        await service.delete_label(context, label_id, if_match, retention_days)
    return Response(status_code=204)
