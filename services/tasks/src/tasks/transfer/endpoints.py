"""Export, import and erasure, for the users service; the edge does not route these paths."""

from dataclasses import asdict

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from common.media_types import NDJSON_TYPE
from common.streaming import with_deadline_per_chunk
from common.validation import NoParameters, QueryParams
from tasks.core.dependencies import ReadContext
from tasks.transfer import service
from tasks.transfer.dependencies import ImportContext
from tasks.transfer.upload import upload_lines

router = APIRouter(
    prefix="/internal/owner",
    include_in_schema=False,
    dependencies=[Depends(QueryParams(NoParameters))],
)


@router.get("/export")
async def export_owner(request: Request, context: ReadContext) -> Response:
    """Stream everything that the user has as NDJSON."""
    chunks = service.export_owner(context)
    return StreamingResponse(with_deadline_per_chunk(request, chunks), media_type=NDJSON_TYPE)


@router.post("/import")
async def import_from_lines(request: Request, context: ImportContext) -> Response:
    """Import all lines of the body, or none."""
    async with upload_lines(request, context) as lines:
        report = await service.import_owner(context, lines)
    return JSONResponse(asdict(report))


@router.delete("", status_code=204)
async def erase_owner(context: ReadContext) -> None:
    """Delete everything that the user has."""
    await service.erase_owner(context)
