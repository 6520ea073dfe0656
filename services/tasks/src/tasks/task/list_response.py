"""The response of GET /tasks: a JSON array, sent at once if it is short, else in chunks."""

from collections.abc import Sequence
from typing import Final, cast
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import TypeAdapter

from tasks.core.preconditions import ETags
from tasks.core.responses import etag_headers, with_etag, without_etag
from tasks.task.reader import TaskReader, TaskWriter
from tasks.task.schemas import TaskRead
from tasks.task.streaming import ChunkedBody, ChunkedResponse

_TASKS = TypeAdapter(list[TaskRead])


def _write_array_items(tasks: Sequence[TaskRead]) -> bytes:
    """Serialize tasks as items of a JSON array, without its brackets."""
    return _TASKS.dump_json(cast("list[TaskRead]", tasks))[1:-1]


ARRAY_WRITER: Final = TaskWriter(_write_array_items, separator=b",")
"""Serializes tasks as items of a JSON array."""


async def respond_with_list(
    request: Request, reader: TaskReader, if_none_match: ETags, *, has_etag: bool
) -> Response:
    """Read tasks and send them.

    Args:
        request: The request, whose query string the link to the next page repeats.
        reader: Reads the tasks, with `ARRAY_WRITER`.
        if_none_match: The tags of the request; with one of them the response is 304.
        has_etag: Whether the list changes only if the owner's counter does.
    """
    first_chunk = await reader.read_first_chunk(if_none_match if has_etag else ())
    link = _link_to_next_page(request, reader.next_cursor)
    if reader.is_complete:
        body = b"[" + first_chunk + b"]"
        if has_etag:
            return with_etag(body, reader.version, link, if_none_match=if_none_match)
        return without_etag(body, link)
    headers = dict(link)
    if has_etag:
        headers.update(etag_headers(reader.version))
    chunked_body = ChunkedBody(
        start=b"[" + first_chunk, chunks=reader.remaining_chunks(), end=b"]", close=reader.close
    )
    return ChunkedResponse(request, chunked_body, headers)


def _link_to_next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the header for the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    params = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    params.append(("cursor", cursor))
    return {"Link": f'</tasks?{urlencode(params)}>; rel="next"'}
