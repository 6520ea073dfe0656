"""Which addresses lead where, in any spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_gateway.proxy.paths import normalize
from common.problems import BadRequest
from devkit.testing.raw_http import build_request, send_request

from ..support.gateway_process import RunningGateway

CLEANED = {
    "/": "/",
    "//": "/",
    "/tasks": "/tasks",
    "/tasks/": "/tasks/",
    "//tasks": "/tasks",
    "/tasks//": "/tasks/",
    "/tasks///7": "/tasks/7",
    "/./tasks": "/tasks",
    "/tasks/.": "/tasks/",
    "/tasks/..": "/",
    "/tasks/../users": "/users",
    "/tasks/../../../users/./me": "/users/me",
    "/tasks/%2e%2E/users": "/users",
    "/%74asks/%37": "/tasks/7",
    "/tasks/.well-known": "/tasks/.well-known",
    "/tasks/...": "/tasks/...",
    "/tasks/%c3%a4%20": "/tasks/%C3%A4%20",
    "/tasks;x/a=b,c:d@e!$&'()*+": "/tasks;x/a=b,c:d@e!$&'()*+",
}
NOT_LET_IN = [
    *("%2F", "%2f", "%5C", "%5c", "%00", "%3B", "%25", "%252e", "%3F", "%23"),
    *("%", "%1", "%g0", "%0g", "\\", " ", "\x7f", "\xe4"),
]
INTERNAL = [
    "/internal/users/me",
    "/internal",
    "/decide",
    "/metrics",
    "/edge-errors/404",
    "/edge-errors/502",
]
SPELLINGS = [
    "{}",
    "/{}",
    "{}/",
    "/tasks/..{}",
    "/tasks/%2e%2e{}",
    "/.{}",
    "/%2E{}",
    "/users//..{}",
    "/docs/..{}",
]


@pytest.mark.parametrize(("sent", "cleaned"), CLEANED.items())
def test_a_path_has_one_spelling_behind_the_gateway(sent: str, cleaned: str) -> None:
    assert normalize(sent.encode()) == cleaned.encode()
    assert normalize(normalize(sent.encode())) == cleaned.encode()


@given(st.text("/.%25eE~aä", max_size=12))
def test_a_cleaned_path_is_clean(path: str) -> None:
    try:
        cleaned = normalize(b"/" + path.encode())
    except BadRequest:
        return
    assert normalize(cleaned) == cleaned
    assert not {b"", b".", b".."} & set(cleaned.split(b"/")[1:-1])


@pytest.mark.parametrize("part", NOT_LET_IN)
def test_what_can_be_read_in_two_ways_is_not_let_in(part: str) -> None:
    with pytest.raises(BadRequest):
        normalize(f"/tasks/{part}".encode("latin-1"))


@pytest.mark.parametrize("path", ["*", "", "tasks"])
def test_what_is_no_path_is_not_let_in(path: str) -> None:
    with pytest.raises(BadRequest):
        normalize(path.encode())


async def test_services_get_the_cleaned_path(gateway: RunningGateway, token: str) -> None:
    await send_request(
        gateway.port, build_request("GET", "//tasks/../%75sers/./me/?q=/../x", token)
    )

    assert [seen.line for seen in gateway.users.requests] == ["GET /users/me/?q=/../x HTTP/1.1"]


@pytest.mark.parametrize("part", ["%2F", "%5c", "%00", "%3b", "%25", "%3f", "%23"])
async def test_a_path_that_is_not_let_in_reaches_nobody(
    gateway: RunningGateway, token: str, part: str
) -> None:
    answer = await send_request(gateway.port, build_request("GET", f"/tasks/{part}", token))

    assert (answer.status, answer.code) == (400, "bad-request")
    assert not gateway.tasks.requests


@pytest.mark.parametrize(
    "path", [spelling.format(path) for path in INTERNAL for spelling in SPELLINGS]
)
async def test_what_is_internal_cannot_be_reached(
    gateway: RunningGateway, token: str, path: str
) -> None:
    answer = await send_request(gateway.port, build_request("GET", path, token))

    assert (answer.status, answer.code) == (404, "not-found")
    assert not gateway.tasks.requests
    assert not gateway.users.requests


@pytest.mark.parametrize(
    "path", ["/", "/task", "/tasksx", "/tasks;x", "/tasks.", "/TASKS", "/usersx", "/api/tasks"]
)
async def test_an_unknown_path_needs_no_token_to_be_unknown(
    gateway: RunningGateway, path: str
) -> None:
    answer = await send_request(gateway.port, build_request("POST", path))

    assert (answer.status, answer.code) == (404, "not-found")
    assert answer.header_values("content-type") == ["application/problem+json"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/version", "/openapi.json", "/docs", "/problems/not-found"]
)
@pytest.mark.parametrize("spelling", ["{}", "{}/", "/.{}"])
async def test_what_is_public_needs_no_token(
    gateway: RunningGateway, path: str, spelling: str
) -> None:
    assert (
        await send_request(gateway.port, build_request("GET", spelling.format(path)))
    ).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/docs"])
async def test_what_is_public_can_only_be_read(gateway: RunningGateway, path: str) -> None:
    answer = await send_request(gateway.port, build_request("DELETE", path))

    assert (answer.status, answer.header_values("allow")) == (405, ["GET, HEAD, OPTIONS"])
