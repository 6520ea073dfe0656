"""The public pages of the gateway, in both modes."""

import gzip
import json
import re
from pathlib import Path

import pytest

from auth_gateway.problem_catalogue import PROBLEM_CATALOGUE, codes_in_errors
from devkit.testing.raw_http import RawResponse

from ..support.error_codes import field_error_codes, problem_codes
from ..support.gateway_process import RunningGateway
from ..support.validation_codes import validation_codes

PAGES = ["/docs", "/problems", "/problems/task-not-found"]

FILES = ["/openapi.json", "/llms.txt", "/docs/plugin.js", "/docs/swagger-ui-bundle.js"]

GUIDES = Path(__file__).parents[4] / "docs/front-ends"

RETIRED_CODES = {"greater-than-equal", "less-than-equal"}
"""Codes that are no longer sent, but were published: their pages stay."""


@pytest.fixture(params=["gateway", "forward_auth_gateway"])
def either_gateway(request: pytest.FixtureRequest) -> RunningGateway:
    """Run a gateway in either mode."""
    gateway: RunningGateway = request.getfixturevalue(request.param)
    return gateway


async def get(gateway: RunningGateway, path: str, headers: str = "") -> RawResponse:
    """Read a page without a token."""
    return await gateway.request("GET", path, headers=headers)


def content_security_policy(page: RawResponse) -> dict[str, list[str]]:
    """Return the sources of each directive of a page's content security policy."""
    policy: dict[str, list[str]] = {}
    for directive in page.header_values("content-security-policy")[0].split(";"):
        name, _, sources = directive.strip().partition(" ")
        policy[name] = sources.split()
    return policy


def loaded_paths(page: RawResponse) -> list[str]:
    """Return the paths of the files that a page loads."""
    return re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page.body.decode())


def test_every_code_in_errors_is_explained_and_no_other() -> None:
    sent = field_error_codes() | validation_codes()

    assert set(codes_in_errors()) - RETIRED_CODES == sent


def test_every_code_of_a_problem_is_explained_and_no_other() -> None:
    explained = {code for code, entry in PROBLEM_CATALOGUE.items() if entry.statuses}

    # An error of a whole body gives its code to the problem document.
    assert explained == problem_codes() | {"contradiction"}


def test_every_explained_code_is_used_somewhere() -> None:
    for explanation in PROBLEM_CATALOGUE.values():
        assert explanation.statuses or explanation.in_errors


@pytest.mark.parametrize("code", sorted(PROBLEM_CATALOGUE))
async def test_a_code_has_a_page(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.header_values("content-type")) == (200, ["text/html; charset=utf-8"])
    assert f"<code>{code}</code>" in page.body.decode()


@pytest.mark.parametrize("path", ["/problems", "/problems/"])
async def test_the_index_links_to_the_page_of_every_code(
    either_gateway: RunningGateway, path: str
) -> None:
    index = (await get(either_gateway, path)).body.decode()

    linked = set(re.findall(r'href="/problems/([^"]+)"', index))
    assert linked == set(PROBLEM_CATALOGUE)


async def test_the_index_groups_the_codes_by_status(gateway: RunningGateway) -> None:
    index = (await get(gateway, "/problems")).body.decode()

    groups: dict[str, list[str]] = {}
    for name, content in re.findall(r'<section id="(\w+)">(.*?)</section>', index, re.DOTALL):
        groups[name] = re.findall(r'href="/problems/([^"]+)"', content)
    assert list(groups) == [*sorted(groups.keys() - {"errors"}), "errors"]
    assert groups["errors"] == codes_in_errors()
    for code, explanation in PROBLEM_CATALOGUE.items():
        statuses = {int(name) for name in groups if name != "errors" and code in groups[name]}
        assert statuses == set(explanation.statuses)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_links_to_the_app_the_api_and_the_codes(
    gateway: RunningGateway, path: str
) -> None:
    page = (await get(gateway, path)).body.decode()

    assert {"/", "/docs", "/problems/"} <= set(re.findall(r'<a href="([^"]+)"', page))


@pytest.mark.parametrize("code", ["nothing", "NOT-FOUND", "%3Cscript%3E", "not-found/x"])
async def test_an_unknown_code_has_no_page(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.code) == (404, "not-found")


async def test_the_type_of_a_problem_is_the_path_of_its_page(gateway: RunningGateway) -> None:
    problem = json.loads((await get(gateway, "/tasks")).body)

    assert (await get(gateway, problem["type"])).status == 200


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_use_files_of_this_origin_only(
    either_gateway: RunningGateway, path: str
) -> None:
    page = await get(either_gateway, path)
    policy = content_security_policy(page)
    text = page.body.decode()

    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    for sources in policy.values():
        assert set(sources) <= {"'none'", "'self'", "data:"}
    assert "data:" not in policy.get("script-src", [])
    assert not re.search(r"""https?://|<style|<script>|\bon[a-z]+=["']|style=""", text)


@pytest.mark.parametrize("path", PAGES)
async def test_the_files_of_a_page_are_cached_for_ever(
    either_gateway: RunningGateway, path: str
) -> None:
    paths = loaded_paths(await get(either_gateway, path))

    assert paths
    for file_path in paths:
        file = await get(either_gateway, file_path)
        assert file.status == 200
        assert file.header_values("cache-control") == ["public, max-age=31536000, immutable"]


async def test_a_file_without_the_current_version_is_asked_for_again(
    gateway: RunningGateway,
) -> None:
    for path in ("/docs/docs.js", "/docs/docs.js?v=0123456789abcdef"):
        file = await get(gateway, path)
        assert (file.status, file.header_values("cache-control")) == (200, ["no-cache"])


@pytest.mark.parametrize("path", PAGES + FILES)
async def test_a_client_that_has_a_page_does_not_get_it_again(
    either_gateway: RunningGateway, path: str
) -> None:
    first = await get(either_gateway, path)
    etag = first.header_values("etag")[0]

    for header in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = await get(either_gateway, path, f"If-None-Match: {header}\r\n")
        assert (again.status, again.body) == (304, b"")
        assert again.header_values("etag") == [etag]
    changed = await get(either_gateway, path, 'If-None-Match: "other"\r\n')
    assert (changed.status, changed.body) == (200, first.body)


@pytest.mark.parametrize("path", FILES)
async def test_a_file_is_compressed_for_clients_that_accept_it(
    gateway: RunningGateway, path: str
) -> None:
    plain = await get(gateway, path)
    compressed = await get(gateway, path, "Accept-Encoding: br, gzip;q=0.5\r\n")

    assert plain.header_values("content-encoding") == []
    assert compressed.header_values("content-encoding") == ["gzip"]
    assert gzip.decompress(compressed.body) == plain.body
    for response in (plain, compressed):
        assert "Accept-Encoding" in response.header_values("vary")[0]


@pytest.mark.parametrize("header", ["identity", "gzip;q=0", "gzip; q=0.000, br", "x-gzip"])
async def test_a_file_is_not_compressed_for_other_clients(
    gateway: RunningGateway, header: str
) -> None:
    response = await get(gateway, "/openapi.json", f"Accept-Encoding: {header}\r\n")

    assert response.header_values("content-encoding") == []


async def test_head_has_the_headers_of_get(gateway: RunningGateway) -> None:
    response = await gateway.request("HEAD", "/docs/docs.js")
    file = await get(gateway, "/docs/docs.js")

    assert (response.status, response.body) == (200, b"")
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert response.header_values(name) == file.header_values(name)


@pytest.mark.parametrize("path", ["/docs/x", "/docs/docs.js/x", "/docs/..%2fproblems.toml"])
async def test_a_file_that_no_page_needs_is_not_served(gateway: RunningGateway, path: str) -> None:
    assert (await get(gateway, path)).status in {400, 404}


async def test_the_openapi_document_has_all_public_paths(gateway: RunningGateway) -> None:
    document = json.loads((await get(gateway, "/openapi.json")).body)

    assert document["openapi"].startswith("3.1")
    paths = document["paths"].keys()
    assert {"/tasks", "/tasks/{task_id}", "/users/me", "/users/{user_id}"} <= paths
    assert {"/docs", "/problems", "/problems/{code}", "/llms.txt"} <= paths
    assert not [path for path in paths if path.startswith("/internal")]


async def test_the_openapi_document_links_to_the_codes_of_a_status(
    gateway: RunningGateway,
) -> None:
    document = json.loads((await get(gateway, "/openapi.json")).body)

    for status, response in document["components"]["responses"].items():
        linked = set(re.findall(r"\]\(/problems/([^)]+)\)", response["description"]))
        codes = {
            code
            for code, explanation in PROBLEM_CATALOGUE.items()
            if int(status) in explanation.statuses
        }
        assert linked == codes


async def test_llms_txt_links_to_the_guides_and_the_api(either_gateway: RunningGateway) -> None:
    response = await get(either_gateway, "/llms.txt")
    text = response.body.decode()

    assert response.header_values("content-type") == ["text/plain; charset=utf-8"]
    assert re.match(r"# [^\n]+\n\n> ", text)
    links = dict(re.findall(r"\[([^\]]+)\]\((/[^)]+)\)", text))
    guides = {f"/docs/front-ends/{file.name}" for file in GUIDES.glob("*.md")}
    guides.remove("/docs/front-ends/README.md")
    assert set(links.values()) == guides | {"/openapi.json", "/docs", "/problems/"}
    for path in links.values():
        assert (await get(either_gateway, path)).status == 200


async def test_a_guide_is_the_file_in_the_repository(either_gateway: RunningGateway) -> None:
    for file in GUIDES.glob("[!R]*.md"):
        guide = await get(either_gateway, f"/docs/front-ends/{file.name}")
        assert guide.body.decode() == file.read_text()
