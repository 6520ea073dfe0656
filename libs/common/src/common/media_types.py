"""Media types of request and response bodies."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request

from common.problems import UnsupportedMediaType

JSON_TYPE: Final = "application/json"

MERGE_PATCH_TYPE: Final = "application/merge-patch+json"
"""Source: RFC 7396."""

NDJSON_TYPE: Final = "application/x-ndjson"
"""JSON texts, each followed by a line feed."""


def require_media_type(
    request: Request, media_types: Sequence[str], *, default: str | None = None
) -> None:
    """Check the header `Content-Type`, ignoring its parameters.

    Args:
        request: The request.
        media_types: The types that the endpoint reads, in lower case.
        default: The type of a body that names none; without one the header is required.

    Raises:
        UnsupportedMediaType: The body is of another type.
    """
    content_types = request.headers.getlist("content-type")
    if not content_types and default is not None:
        content_types = [default]
    if len(content_types) == 1:
        media_type = content_types[0].partition(";")[0].strip().lower()
        if media_type in media_types:
            return
    raise UnsupportedMediaType(
        "unsupported-media-type", f"The body must be {' or '.join(media_types)}."
    )


def require_unencoded(request: Request) -> None:
    """Reject a compressed body, whose length after decompression is unknown.

    Raises:
        UnsupportedMediaType: `Content-Encoding` names a coding. Source: RFC 9110, 15.5.16.
    """
    for header in request.headers.getlist("content-encoding"):
        for coding in header.split(","):
            if coding.strip().lower() not in {"", "identity"}:
                raise UnsupportedMediaType(
                    "unsupported-content-encoding",
                    "The body must not be encoded.",
                    headers={"Accept-Encoding": "identity"},
                )
