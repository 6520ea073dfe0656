"""Normalization and routing of paths, in any spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_gateway.proxy.paths import normalize
from common.problems import BadRequest

from ..support.gateway_process import RunningGateway

NORMALIZED = {
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
FORBIDDEN = [
    "%2F",
    "%2f",
    "%5C",
    "%5c",
    "%00",
    "%3B",
    "%25",
    "%252e",
    "%3F",
    "%23",
    "%",
    "%1",
    "%g0",
    "%0g",
    "\\",
    " ",
    "\x7f",
    "\xe4",
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


@pytest.mark.parametrize(("path", "normalized"), NORMALIZED.items())
def test_a_path_is_normalized(path: str, normalized: str) -> None:
    assert normalize(path.encode()) == normalized.encode()
    assert normalize(normalize(path.encode())) == normalized.encode()


@given(st.text("/.%25eE~aä", max_size=12))
def test_normalizing_a_path_again_changes_nothing(path: str) -> None:
    try:
        normalized = normalize(b"/" + path.encode())
    except BadRequest:
        return
    assert normalize(normalized) == normalized
    assert not {b"", b".", b".."} & set(normalized.split(b"/")[1:-1])


@pytest.mark.parametrize("part", FORBIDDEN)
def test_ambiguous_paths_are_rejected(part: str) -> None:
    with pytest.raises(BadRequest):
        normalize(f"/tasks/{part}".encode("latin-1"))


@pytest.mark.parametrize("path", ["*", "", "tasks"])
def test_what_is_no_path_is_rejected(path: str) -> None:
    with pytest.raises(BadRequest):
        normalize(path.encode())


async def test_services_get_the_normalized_path(gateway: RunningGateway, token: str) -> None:
    await gateway.request("GET", "//tasks/../%75sers/./me/?q=/../x", token)

    (forwarded,) = gateway.users.requests
    assert forwarded.line == "GET /users/me/?q=/../x HTTP/1.1"


@pytest.mark.parametrize("part", ["%2F", "%5c", "%00", "%3b", "%25", "%3f", "%23"])
async def test_an_ambiguous_path_is_not_forwarded(
    gateway: RunningGateway, token: str, part: str
) -> None:
    response = await gateway.request("GET", f"/tasks/{part}", token)

    assert (response.status, response.code) == (400, "bad-request")
    assert not gateway.tasks.requests


@pytest.mark.parametrize("path", INTERNAL)
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_internal_paths_cannot_be_reached(
    gateway: RunningGateway, token: str, path: str, spelling: str
) -> None:
    response = await gateway.request("GET", spelling.format(path), token)

    assert (response.status, response.code) == (404, "not-found")
    assert not gateway.tasks.requests
    assert not gateway.users.requests


@pytest.mark.parametrize(
    "path", ["/asset", "/task", "/tasksx", "/tasks;x", "/tasks.", "/TASKS", "/usersx", "/api/tasks"]
)
async def test_an_unknown_path_is_404_without_a_token(gateway: RunningGateway, path: str) -> None:
    response = await gateway.request("POST", path)

    assert (response.status, response.code) == (404, "not-found")
    assert response.header_values("content-type") == ["application/problem+json"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/version", "/openapi.json", "/docs", "/problems/not-found"]
)
@pytest.mark.parametrize("spelling", ["{}", "{}/", "/.{}"])
async def test_public_paths_need_no_token(
    gateway: RunningGateway, path: str, spelling: str
) -> None:
    assert (await gateway.request("GET", spelling.format(path))).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/docs"])
async def test_public_paths_are_read_only(gateway: RunningGateway, path: str) -> None:
    response = await gateway.request("DELETE", path)

    assert (response.status, response.header_values("allow")) == (405, ["GET, HEAD, OPTIONS"])
