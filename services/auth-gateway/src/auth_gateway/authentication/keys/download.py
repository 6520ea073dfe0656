"""One download of the key set, and one plain sentence for each way in which it can fail."""

import ssl
from http import HTTPStatus
from typing import Final

import aiohttp
import certifi

from auth_gateway.authentication.keys.errors import KeySetError

CONNECT_SECONDS: Final = 3.0
"""How long connecting may take, TLS included. Looking up the host's name comes before that."""

DOCUMENT_MAX_BYTES: Final = 65_536
"""A longer key set is not read to its end."""

_HEADERS: Final = {"User-Agent": "auth-gateway", "Accept-Encoding": "identity"}
_REDIRECTS: Final = range(300, 400)

_SET_ADDRESS: Final = "set BETTER_AUTH_JWKS_URL to the address of the keys themselves"
_CHECK_PORT: Final = "check scheme, host and port of BETTER_AUTH_JWKS_URL"

_STATUSES: Final = {
    401: "answers 401: public keys must be readable without credentials",
    403: "answers 403: public keys must be readable without credentials",
    404: f"answers 404, there is nothing at that path: {_SET_ADDRESS}, and use Better Auth's jwt plugin",
    429: "answers 429: it limits how often the keys may be fetched",
}
"""Reasons by status, where more can be said than the number."""

_FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        aiohttp.ClientConnectorDNSError,
        "is not found, its host name cannot be resolved: check BETTER_AUTH_JWKS_URL and DNS",
    ),
    (
        aiohttp.ClientConnectorCertificateError,
        "shows a TLS certificate that is not trusted: mend it, or name its authority's file in SSL_CERT_FILE",
    ),
    (aiohttp.ClientConnectorSSLError, f"does not speak TLS as we do: {_CHECK_PORT}"),
    (
        aiohttp.ConnectionTimeoutError,
        f"accepts no connection within {CONNECT_SECONDS:g} s: {_CHECK_PORT}",
    ),
    (aiohttp.ClientConnectorError, f"accepts no connection: {_CHECK_PORT}"),
    (TimeoutError, "does not answer in time: KEYS_FETCH_SECONDS says how long it may take"),
    (aiohttp.ClientPayloadError, "breaks off in the middle of its answer"),
    (
        aiohttp.ClientResponseError,
        f"does not answer in HTTP, or with too large headers: {_CHECK_PORT}",
    ),
    (aiohttp.ServerDisconnectedError, f"hangs up without an answer: {_CHECK_PORT}"),
    (aiohttp.ClientOSError, f"hangs up without an answer: {_CHECK_PORT}"),
)
"""Reasons by exception; the first one that fits is the most exact."""


def trusted_authorities() -> ssl.SSLContext:
    """Return what TLS certificates are checked with: the machine's authorities and certifi's; SSL_CERT_FILE counts."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


async def download(address: str, seconds: float, authorities: ssl.SSLContext) -> bytes:
    """Return the document at this address. No redirect is followed, no proxy is used.

    Raises:
        KeySetError: There is none, it is longer than `DOCUMENT_MAX_BYTES`, or it did not come within `seconds`.
    """
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=authorities, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=timeout,
                auto_decompress=False,
                middlewares=(_send_once,),
            ) as session,
            session.get(address, allow_redirects=False) as response,
        ):
            _require_success(response)
            return await _read(response)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _explained(error) from error


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking a second time when the server hangs up; it would not count as a fetch."""
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as error:
        raise _explained(error) from error


def _require_success(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == HTTPStatus.OK:
        return
    if status in _REDIRECTS:
        reason = f"answers {status}, a redirect, and redirects are not followed: {_SET_ADDRESS}"
        target = _without_secrets(response.headers.get("Location", ""))
        raise KeySetError(reason, f"it leads to {target}" if target else "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise KeySetError(f"answers {status}, so it has a fault of its own: its log says which")
    raise KeySetError(_STATUSES.get(status, f"answers {status} and not 200: {_SET_ADDRESS}"))


def _without_secrets(location: str) -> str:
    """Leave out the parts of a redirect's target in which tokens and passwords stand."""
    path, _, _ = location.partition("?")
    path, _, _ = path.partition("#")
    _, _, path = path.rpartition("@")
    return path


async def _read(response: aiohttp.ClientResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise KeySetError("answers with a compressed document, which was not asked for", encoding)
    document = bytearray()
    async for chunk in response.content.iter_any():
        document += chunk
        if len(document) > DOCUMENT_MAX_BYTES:
            raise KeySetError(
                f"answers with more than {DOCUMENT_MAX_BYTES} bytes, too much for a key set"
            )
    if not document:
        raise KeySetError(f"answers with nothing: {_SET_ADDRESS}")
    if document.lstrip().startswith(b"<"):
        raise KeySetError(f"answers with HTML, a page and no keys: {_SET_ADDRESS}")
    return bytes(document)


def _explained(error: Exception) -> KeySetError:
    """Say in plain words what went wrong; the detail is the system's own word for it."""
    for kind, reason in _FAILURES:
        if isinstance(error, kind):
            return KeySetError(reason, _detail(error))
    return KeySetError("cannot be asked: check BETTER_AUTH_JWKS_URL", type(error).__name__)


def _detail(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(getattr(error.certificate_error, "verify_message", ""))
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or ""
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""
