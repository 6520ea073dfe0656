"""The built app at the gateway's URL, in both modes, and the page in its place."""

import gzip
import re

import pytest

from auth_gateway.web_app import CONTENT_SECURITY_POLICY
from devkit.testing.raw_http import RawResponse, build_request, send_raw

from ..support.gateway_process import RunningGateway

MEDIA_TYPES = {
    "/": "text/html; charset=utf-8",
    "/sw.js": "text/javascript; charset=utf-8",
    "/assets/app-BjUaDyP0.js": "text/javascript; charset=utf-8",
    "/assets/app-BjUaDyP0.js.map": "application/json",
    "/assets/app-Cz_-09aZ.css": "text/css; charset=utf-8",
    "/assets/fonts/text-a1B2c3D4.woff2": "font/woff2",
    "/assets/site-settings.json": "application/json",
    "/assets/icon.svg": "image/svg+xml",
    "/assets/manifest.webmanifest": "application/manifest+json",
    "/assets/unknown.kind": "application/octet-stream",
}

HASHED = {
    "/assets/app-BjUaDyP0.js",
    "/assets/app-BjUaDyP0.js.map",
    "/assets/app-Cz_-09aZ.css",
    "/assets/fonts/text-a1B2c3D4.woff2",
}

START_PAGE_PATHS = ["/", "/sw.js", "/assets/start.css", "/assets/start.svg"]


async def get(gateway: RunningGateway, path: str, headers: str = "") -> RawResponse:
    """Read a file without a token."""
    return await gateway.request("GET", path, headers=headers)


@pytest.mark.parametrize("path", MEDIA_TYPES)
async def test_a_file_has_its_media_type_and_a_strict_policy(
    app_gateway: RunningGateway, path: str
) -> None:
    response = await get(app_gateway, path)

    assert response.status == 200
    assert response.header_values("content-type") == [MEDIA_TYPES[path]]
    assert response.header_values("content-security-policy") == [CONTENT_SECURITY_POLICY]
    assert response.header_values("x-content-type-options") == ["nosniff"]
    assert response.header_values("referrer-policy") == ["no-referrer"]


def test_the_policy_allows_neither_inline_code_nor_other_origins() -> None:
    directives = CONTENT_SECURITY_POLICY.split("; ")
    sources = {source for directive in directives for source in directive.split()[1:]}

    assert sources == {"'none'", "'self'", "data:"}
    assert "script-src 'self'" in directives


@pytest.mark.parametrize("path", MEDIA_TYPES)
async def test_only_a_file_with_a_hash_in_its_name_is_never_asked_for_again(
    app_gateway: RunningGateway, path: str
) -> None:
    response = await get(app_gateway, path)

    expected = "public, max-age=31536000, immutable" if path in HASHED else "no-cache"
    assert response.header_values("cache-control") == [expected]


@pytest.mark.parametrize("path", ["/", "/sw.js", "/assets/app-BjUaDyP0.js"])
async def test_a_file_that_the_browser_has_is_304(app_gateway: RunningGateway, path: str) -> None:
    (etag,) = (await get(app_gateway, path)).header_values("etag")

    again = await get(app_gateway, path, f"If-None-Match: {etag}\r\n")
    changed = await get(app_gateway, path, 'If-None-Match: W/"another"\r\n')

    assert (again.status, again.body) == (304, b"")
    assert again.header_values("etag") == [etag]
    assert changed.status == 200


async def test_head_has_the_headers_of_get_and_no_body(app_gateway: RunningGateway) -> None:
    response = await get(app_gateway, "/")

    received = await send_raw(app_gateway.port, build_request("HEAD", "/"))

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(response.body)}".encode() in head.lower()
    assert body == b""


async def test_a_large_file_is_compressed_for_a_client_that_can_read_it(
    app_gateway: RunningGateway,
) -> None:
    path = "/assets/app-BjUaDyP0.js"
    plain = await get(app_gateway, path)

    compressed = await get(app_gateway, path, "Accept-Encoding: gzip, br\r\n")

    assert compressed.header_values("content-encoding") == ["gzip"]
    assert not plain.header_values("content-encoding")
    assert gzip.decompress(compressed.body) == plain.body
    assert len(compressed.body) < len(plain.body) / 2
    for response in (plain, compressed):
        assert "Accept-Encoding" in ", ".join(response.header_values("vary"))


@pytest.mark.parametrize(
    "path",
    [
        "/assets",
        "/assets/",
        "/assets/fonts",
        "/assets/missing.js",
        "/index.html",
        "/package.json",
        "/sw",
        "/assets/outside.txt",
        "/assets/parent/secret.txt",
        "/assets/../package.json",
        "/assets/%2e%2e/package.json",
        "/assets/..%2fpackage.json",
        "/assets//package.json",
        "/assets/%00",
        "/assets/../../secret.txt",
    ],
)
async def test_nothing_else_of_the_folder_or_the_machine_is_shown(
    app_gateway: RunningGateway, path: str
) -> None:
    response = await get(app_gateway, path)

    assert response.status in {400, 404}
    assert response.code in {"bad-request", "not-found"}
    assert response.header_values("content-type") == ["application/problem+json"]
    assert response.header_values("cache-control") == ["no-store"]


async def test_a_link_inside_the_folder_is_followed(app_gateway: RunningGateway) -> None:
    assert (await get(app_gateway, "/assets/inside.json")).body == b"{}"


async def test_the_app_cannot_be_written(app_gateway: RunningGateway) -> None:
    response = await app_gateway.request("POST", "/", body=b"{}")

    assert (response.status, response.code) == (405, "method-not-allowed")
    assert response.header_values("allow") == ["GET, HEAD, OPTIONS"]


@pytest.mark.parametrize("path", START_PAGE_PATHS)
async def test_without_the_app_there_is_a_page_with_the_same_policy(
    gateway: RunningGateway, forward_auth_gateway: RunningGateway, path: str
) -> None:
    for mode in (gateway, forward_auth_gateway):
        response = await get(mode, path)
        assert response.status == 200
        assert response.header_values("content-security-policy") == [CONTENT_SECURITY_POLICY]
        assert response.header_values("cache-control") == ["no-cache"]
        assert not re.search(rb"<style|<script|style=|\son\w+=|//(?!www.w3.org/)", response.body)


async def test_the_page_without_the_app_says_how_to_begin(gateway: RunningGateway) -> None:
    page = (await get(gateway, "/")).body.decode()

    for text in ("make token", "docs/front-ends", "make run", "APP=off"):
        assert text in page
    for path in re.findall('(?:href|src)="(.+?)"', page):
        assert (await get(gateway, path)).status == 200
    assert 'href="/docs"' in page


async def test_without_the_app_its_service_worker_is_replaced(gateway: RunningGateway) -> None:
    response = await get(gateway, "/sw.js")

    assert response.header_values("content-type") == ["text/javascript; charset=utf-8"]
    assert b"registration.unregister()" in response.body
