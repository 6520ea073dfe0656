"""Responses that show a task, a list or a label, and how the OpenAPI document describes them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from fastapi import Response

from common.media_types import JSON_TYPE
from tasks.core.creation import StoredResponse
from tasks.core.preconditions import ETags, matches_any

Responses: TypeAlias = dict[int | str, dict[str, Any]]
"""What the OpenAPI document says about the statuses of an operation."""

HeaderDescription: TypeAlias = dict[str, Any]
OperationLinks: TypeAlias = Mapping[str, Mapping[str, object]]

_ETAG_SCHEMA: Final = {"type": "string", "pattern": '^"[0-9]+"$'}

_ETAG: Final[HeaderDescription] = {
    "description": "The version, in quotes.",
    "required": True,
    "schema": _ETAG_SCHEMA,
}
OPTIONAL_ETAG: Final[HeaderDescription] = {
    "description": "The owner's counter, in quotes, unless the clock decides.",
    "required": False,
    "schema": _ETAG_SCHEMA,
}
_LOCATION: Final[HeaderDescription] = {
    "description": "Its URL.",
    "required": True,
    "schema": {"type": "string"},
}
_REPLAYED: Final[HeaderDescription] = {
    "description": "An earlier request with the key did it.",
    "schema": {"type": "string", "enum": ["true"]},
}

ETAG: Final = {"ETag": _ETAG}
CREATED_HEADERS: Final = {"ETag": _ETAG, "Location": _LOCATION}
REPLAYABLE: Final = {"Idempotency-Replayed": _REPLAYED}

READ: Final[Responses] = {200: {"headers": ETAG}, 304: {"headers": ETAG}}
CHANGED: Final[Responses] = {200: {"headers": ETAG}, 412: {}}
MOVED: Final[Responses] = {
    200: {"headers": {"ETag": _ETAG, "Idempotency-Replayed": _REPLAYED}},
    409: {},
    412: {},
}
RENAMED: Final[Responses] = {200: {"headers": ETAG}, 409: {}, 412: {}}
"""As `CHANGED`, where the new name may be taken."""

DELETED: Final[Responses] = {412: {}}


def operation_links(parameter: str, operations: Iterable[str]) -> OperationLinks:
    """Return links from a created object to the operations that take its id.

    Args:
        parameter: The path parameter of the operations.
        operations: Their operationIds.
    """
    link_parameters = {parameter: "$response.body#/id"}
    return {name: {"operationId": name, "parameters": link_parameters} for name in operations}


def posted(links: OperationLinks) -> Responses:
    """Return the responses of a POST that creates and takes an `Idempotency-Key`."""
    headers = {"ETag": _ETAG, "Location": _LOCATION, "Idempotency-Replayed": _REPLAYED}
    return {201: {"headers": headers, "links": links}, 409: {}}


def put(links: OperationLinks) -> Responses:
    """Return the responses of a PUT that replaces or creates."""
    return {
        200: {"headers": ETAG},
        201: {"headers": CREATED_HEADERS, "links": links},
        409: {},
        412: {},
    }


def etag_headers(version: int) -> dict[str, str]:
    """Return the headers of a response that shows this version."""
    return {"ETag": f'"{version}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}


def with_etag(
    body: bytes,
    version: int,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    if_none_match: ETags | None = None,
) -> Response:
    """Return a JSON response with an ETag, or 304 if the client has this version.

    Args:
        body: The JSON.
        version: The version of what the body shows.
        headers: Further headers. A 304 does not have them.
        status: The status, unless it is 304.
        if_none_match: Versions that the client has.
    """
    response_headers = etag_headers(version)
    if if_none_match and matches_any(version, if_none_match):
        return Response(status_code=304, headers=response_headers)
    if headers is not None:
        response_headers.update(headers)
    return Response(body, status, response_headers, JSON_TYPE)


def without_etag(body: bytes, headers: Mapping[str, str]) -> Response:
    """Return a JSON response that is not cached, because its content depends on the clock."""
    return Response(body, headers=dict(headers), media_type=JSON_TYPE)


def created(stored: StoredResponse, collection: str) -> Response:
    """Return 201 for what was created, now or by an earlier request with the same key.

    Args:
        stored: The response.
        collection: The path to which the id is appended for `Location`.
    """
    headers = _replayed_headers(stored)
    headers["Location"] = f"{collection}/{stored.id}"
    return with_etag(stored.body, stored.version, headers, status=201)


def ok(stored: StoredResponse) -> Response:
    """Return 200 for what was changed, now or by an earlier request with the same key."""
    return with_etag(stored.body, stored.version, _replayed_headers(stored))


def _replayed_headers(stored: StoredResponse) -> dict[str, str]:
    if stored.replayed:
        return {"Idempotency-Replayed": "true"}
    return {}
