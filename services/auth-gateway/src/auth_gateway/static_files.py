"""Files that are served as they are: compressed once, and read again only if they have changed."""

import asyncio
import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""For a URL that names the content, in seconds: other content has another URL."""

REVALIDATE: Final = "no-cache"
"""For a URL whose content changes with the release. Source: RFC 9111, 5.2.2.4."""

COMPRESSION_MIN_BYTES: Final = 1_000
"""A shorter file fits into one packet as it is."""

_COMPRESSIBLE_TYPES: Final = ("text/", "application/json", "application/manifest+json", "image/svg")


@dataclass(frozen=True)
class StaticFile:
    """The content of a file, and its media type as in `Content-Type`."""

    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> str:
        """Names the content, for URLs that may be cached for ever."""
        return sha256(self.content).hexdigest()[:16]

    @cached_property
    def etag(self) -> str:
        """The validator; weak, because it is the same with and without compression.

        Source: RFC 9110, 8.8.3.3.
        """
        return f'W/"{self.digest}"'

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    async def respond(self, request: Request, headers: dict[str, str]) -> Response:
        """Respond to GET or HEAD with the file, or with 304 if the client has it.

        Args:
            request: Its `If-None-Match` and `Accept-Encoding` are regarded.
            headers: Further headers, with `Cache-Control`.
        """
        all_headers = {**headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if _has_copy(request, self.etag):
            return Response(status_code=304, headers=all_headers)
        content = self.content
        if self._is_compressible() and _accepts_gzip(request):
            # Once per process; in a thread, because other requests would wait for it.
            content = await asyncio.to_thread(lambda: self._compressed)
            all_headers["Content-Encoding"] = "gzip"
        return Response(content, headers=all_headers, media_type=self.media_type)

    def _is_compressible(self) -> bool:
        is_long = len(self.content) >= COMPRESSION_MIN_BYTES
        return is_long and self.media_type.startswith(_COMPRESSIBLE_TYPES)


def _has_copy(request: Request, etag: str) -> bool:
    """Compare weakly. Source: RFC 9110, 13.1.2."""
    opaque_tag = etag.removeprefix("W/")
    for entry in _list_elements(request, "if-none-match"):
        if entry == "*" or entry.removeprefix("W/") == opaque_tag:
            return True
    return False


def _accepts_gzip(request: Request) -> bool:
    """Check for gzip by name, without the weight 0. Source: RFC 9110, 12.5.3."""
    for entry in _list_elements(request, "accept-encoding"):
        coding, _, weight = entry.replace(" ", "").lower().partition(";q=")
        if coding == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


def _list_elements(request: Request, header: str) -> list[str]:
    return [entry.strip() for entry in request.headers.get(header, "").split(",")]
