import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from auth_gateway.authentication import Authenticator
from auth_gateway.authentication.parser import RawHeaders
from auth_gateway.proxy.forward import UpstreamRequest, forward
from auth_gateway.proxy.headers import (
    CLOSE_CONNECTION,
    drop_ambiguous_names,
    forwarding_headers,
    request_headers,
)
from auth_gateway.proxy.paths import normalize
from auth_gateway.proxy.upstream import CONTENT_LENGTH_LIMIT_BYTES, UpstreamService
from common.problems import BadRequest, BodyTooLarge
from common.request_state import RequestState

_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class ProxyMiddleware:
    """An ASGI middleware that forwards the paths of the services, and passes the gateway's own.

    Its place is inside the request middleware.

    Args:
        app: The application that serves the gateway's own paths.
        authenticator: Authenticates requests for the services.
        services: The first one that matches a path gets its requests.
    """

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, services: Sequence[UpstreamService]
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or pass it to the gateway's own application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _require_plain_http(scope)
        path = normalize(scope["raw_path"]).decode()
        scope["headers"] = drop_ambiguous_names(scope["headers"])
        service = self._find_service(path)
        if service is None:
            _get_content_length(scope, CONTENT_LENGTH_LIMIT_BYTES)
            scope["path"] = unquote(path).rstrip("/") or "/"
            await self._app(scope, receive, send)
            return
        content_length = _get_content_length(scope, service.content_length_limit_bytes)
        scope["route"] = service
        if service.is_better_auth:
            headers = request_headers(scope["headers"], keep_credentials=True)
            headers += forwarding_headers(scope)
        else:
            headers = request_headers(scope["headers"])
            headers += await self._identity_headers(scope)
        request = _to_upstream_request(scope, service, path, content_length, headers)
        await forward(scope["app"].state.client_session, request, receive, send)

    def _find_service(self, path: str) -> UpstreamService | None:
        for service in self._services:
            if service.matches(path):
                return service
        return None

    async def _identity_headers(self, scope: Scope) -> list[tuple[str, str]]:
        """Return the headers that tell a service who sends the request."""
        user = self._authenticator.get_cached_by_headers(scope["headers"])
        if user is None:
            user = await self._authenticator.authenticate(scope["headers"])
        RequestState.of(scope).pseudonym = user.pseudonym
        return [("Authorization", f"Bearer {user.passport}"), ("X-User-Id", user.user_id)]


def _to_upstream_request(
    scope: Scope,
    service: UpstreamService,
    path: str,
    content_length: int | None,
    headers: list[tuple[str, str]],
) -> UpstreamRequest:
    """Complete the headers with those that every service gets."""
    state = RequestState.of(scope)
    client_headers: RawHeaders = scope["headers"]
    headers.append(("X-Request-ID", state.request_id))
    if content_length:
        headers.append(("Content-Length", str(content_length)))
    url = service.url + path
    query: bytes = scope["query_string"]
    if query:
        url = f"{url}?{query.decode()}"
    has_body = content_length != 0
    body_limit_bytes = None
    if service.is_better_auth:
        body_limit_bytes = service.content_length_limit_bytes
    has_expect_header = any(name == b"expect" for name, _ in client_headers)
    return UpstreamRequest(
        method=state.method,
        url=url,
        headers=headers,
        has_body=has_body,
        response_timeout_seconds=service.response_timeout_seconds,
        expects_continue=has_body and has_expect_header,
        body_limit_bytes=body_limit_bytes,
    )


def _require_plain_http(scope: Scope) -> None:
    """Require HTTP/1.0 or 1.1, a method other than CONNECT, and exactly one valid host.

    HTTP/1.0 requests may have no host.

    Raises:
        BadRequest: The request is something else.

    Source: RFC 9112, 3.2.
    """
    version: str = scope["http_version"]
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if version not in ("1.0", "1.1") or RequestState.of(scope).method == "CONNECT":
        raise BadRequest(headers=CLOSE_CONNECTION)
    if not _is_valid_host(hosts, version):
        raise BadRequest(headers=CLOSE_CONNECTION)


def _is_valid_host(hosts: list[bytes], version: str) -> bool:
    if not hosts:
        return version == "1.0"
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


def _get_content_length(scope: Scope, limit_bytes: int) -> int | None:
    """Return the length of the body in bytes, None if it comes in chunks.

    Raises:
        BadRequest: The transfer encoding is not supported.
        BodyTooLarge: The length is `limit_bytes` or more.

    Source: RFC 9112, 6.1 and 6.3.
    """
    headers: RawHeaders = scope["headers"]
    encodings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if encodings:
        if encodings != [b"chunked"] or scope["http_version"] == "1.0":
            raise BadRequest(
                detail="The body's encoding is not read here.", headers=CLOSE_CONNECTION
            )
        return None
    length = sum(int(value) for name, value in headers if name == b"content-length")
    if length >= limit_bytes:
        raise BodyTooLarge
    return length
