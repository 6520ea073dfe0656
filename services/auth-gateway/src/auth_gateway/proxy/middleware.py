"""The proxy mode: the gateway stands between clients and services, and looks to both like an edge."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from auth_gateway.authentication import Gatekeeper
from auth_gateway.forward_auth import remembered
from auth_gateway.proxy.forward import Outgoing, hand_on
from auth_gateway.proxy.headers import CLOSE, RawHeaders, for_service, with_plain_names
from auth_gateway.proxy.paths import clean
from auth_gateway.proxy.upstream import ANNOUNCED_BELOW_BYTES, Service
from common.problems import BadRequest, BodyTooLarge

_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class Proxy:
    """An ASGI middleware inside the frame: what belongs to a service goes there, the rest stays here."""

    def __init__(self, app: ASGIApp, gatekeeper: Gatekeeper, services: Sequence[Service]) -> None:
        self._app = app
        self._gatekeeper = gatekeeper
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _require_plain_http(scope)
        path = clean(scope["raw_path"]).decode()
        scope["headers"] = with_plain_names(scope["headers"])
        service = next((service for service in self._services if service.owns(path)), None)
        length = _body_length(
            scope, service.announced_below_bytes if service else ANNOUNCED_BELOW_BYTES
        )
        if service is None:
            scope["path"] = unquote(path).rstrip("/") or "/"
            await self._app(scope, receive, send)
        else:
            scope["route"] = service
            request = await self._decide(scope, service, path, length)
            await hand_on(scope["app"].state.connections, request, receive, send)

    async def _decide(
        self, scope: Scope, service: Service, path: str, length: int | None
    ) -> Outgoing:
        """Make of the client's request one that says who sends it."""
        sent: RawHeaders = scope["headers"]
        granted = remembered(self._gatekeeper, sent) or await self._gatekeeper.decide(sent)
        scope["pseudonym"] = granted.subject_hash
        headers = [
            *for_service(sent),
            ("Authorization", f"Bearer {granted.passport}"),
            ("X-User-Id", granted.user_id),
            ("X-Request-ID", scope["request_id"]),
        ]
        if length:
            headers.append(("Content-Length", str(length)))
        query: bytes = scope["query_string"]
        url = f"{service.url}{path}?{query.decode()}" if query else service.url + path
        has_body = length != 0
        expects_call = has_body and any(header[0] == b"expect" for header in sent)
        return Outgoing(scope["verb"], url, headers, has_body, service.answer_seconds, expects_call)


def _require_plain_http(scope: Scope) -> None:
    """Refuse versions that have no headers, the verb that asks for a tunnel, and who does not name one host.

    Source: RFC 9112, 3.2.
    """
    version = scope["http_version"]
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    named = len(hosts) == 1 and _HOST.fullmatch(hosts[0]) if hosts else version == "1.0"
    if version not in ("1.0", "1.1") or scope["verb"] == "CONNECT" or not named:
        raise BadRequest(headers=CLOSE)


def _body_length(scope: Scope, announced_below_bytes: int) -> int | None:
    """Return how many bytes the body is announced to have, None when it comes in chunks.

    Raises:
        BadRequest: It is encoded in a way that services do not read.
        BodyTooLarge: It is longer than the service reads.

    Source: RFC 9112, 6.1 and 6.3.
    """
    headers: RawHeaders = scope["headers"]
    encodings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if encodings not in ([], [b"chunked"]) or (encodings and scope["http_version"] == "1.0"):
        raise BadRequest(detail="The body's encoding is not read here.", headers=CLOSE)
    length = (
        None
        if encodings
        else sum(int(value) for name, value in headers if name == b"content-length")
    )
    if length is not None and length >= announced_below_bytes:
        raise BodyTooLarge
    return length
