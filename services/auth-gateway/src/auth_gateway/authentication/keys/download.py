"""Downloads the key set once, and describes every way in which that can fail in one sentence."""

import ssl
from http import HTTPStatus
from typing import Final

import aiohttp
import certifi

from auth_gateway.authentication.keys.errors import KeySetError

CONNECT_TIMEOUT_SECONDS: Final = 3.0
"""Includes TLS, but not the DNS look-up before it."""

DOCUMENT_MAX_BYTES: Final = 65_536
"""A longer key set is not read to its end."""

_HEADERS: Final = {"User-Agent": "auth-gateway", "Accept-Encoding": "identity"}
_REDIRECTS: Final = range(300, 400)

_SET_URL: Final = "set BETTER_AUTH_JWKS_URL to the address of the keys themselves"
_CHECK_PORT: Final = "check scheme, host and port of BETTER_AUTH_JWKS_URL"

_REASONS_BY_STATUS: Final = {
    401: "answers 401: public keys must be readable without credentials",
    403: "answers 403: public keys must be readable without credentials",
    404: (
        f"answers 404, there is nothing at that path: {_SET_URL}, and use Better Auth's jwt plugin"
    ),
    429: "answers 429: it limits how often the keys may be fetched",
}

_REASONS_BY_EXCEPTION: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        aiohttp.ClientConnectorDNSError,
        "is not found, its host name cannot be resolved: check BETTER_AUTH_JWKS_URL and DNS",
    ),
    (
        aiohttp.ClientConnectorCertificateError,
        (
            "shows a TLS certificate that is not trusted: mend it, or name its authority's file in "
            "SSL_CERT_FILE"
        ),
    ),
    (aiohttp.ClientConnectorSSLError, f"does not speak TLS as we do: {_CHECK_PORT}"),
    (
        aiohttp.ConnectionTimeoutError,
        f"accepts no connection within {CONNECT_TIMEOUT_SECONDS:g} s: {_CHECK_PORT}",
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
"""The first match counts: subclasses come before their base classes."""


def trusted_authorities() -> ssl.SSLContext:
    """Return a context that trusts the machine's authorities, SSL_CERT_FILE's and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


async def download(url: str, timeout_seconds: float, authorities: ssl.SSLContext) -> bytes:
    """Return the document at this URL. No redirect is followed, no proxy is used.

    Args:
        url: Where the key server publishes its keys.
        timeout_seconds: Time for the whole download.
        authorities: What the server's certificate is checked with.

    Raises:
        KeySetError: There is no document, it is longer than `DOCUMENT_MAX_BYTES`, or too slow.
    """
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=authorities, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_TIMEOUT_SECONDS),
        auto_decompress=False,
        middlewares=(_send_once,),
    )
    try:
        async with session, session.get(url, allow_redirects=False) as response:
            _raise_for_status(response)
            return await _read_document(response)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _to_key_set_error(error) from error


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from a second attempt when the server hangs up: it would not be counted."""
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as error:
        raise _to_key_set_error(error) from error


def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == HTTPStatus.OK:
        return
    if status in _REDIRECTS:
        reason = f"answers {status}, a redirect, and redirects are not followed: {_SET_URL}"
        location = _without_secrets(response.headers.get("Location", ""))
        detail = ""
        if location:
            detail = f"it leads to {location}"
        raise KeySetError(reason, detail)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise KeySetError(f"answers {status}, so it has a fault of its own: its log says which")
    default_reason = f"answers {status} and not 200: {_SET_URL}"
    raise KeySetError(_REASONS_BY_STATUS.get(status, default_reason))


def _without_secrets(location: str) -> str:
    """Remove user, query and fragment from a redirect's URL: they may contain secrets."""
    path, _, _ = location.partition("?")
    path, _, _ = path.partition("#")
    _, _, path = path.rpartition("@")
    return path


async def _read_document(response: aiohttp.ClientResponse) -> bytes:
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
        raise KeySetError(f"answers with nothing: {_SET_URL}")
    if document.lstrip().startswith(b"<"):
        raise KeySetError(f"answers with HTML, a page and no keys: {_SET_URL}")
    return bytes(document)


def _to_key_set_error(error: Exception) -> KeySetError:
    """Describe an exception in plain words, with the system's own message as the detail."""
    for exception_class, reason in _REASONS_BY_EXCEPTION:
        if isinstance(error, exception_class):
            return KeySetError(reason, _get_system_message(error))
    return KeySetError("cannot be asked: check BETTER_AUTH_JWKS_URL", type(error).__name__)


def _get_system_message(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(getattr(error.certificate_error, "verify_message", ""))
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or ""
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""
