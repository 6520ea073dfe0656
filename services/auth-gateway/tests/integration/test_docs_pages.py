"""The public pages of the gateway."""

import base64
import json
import re
from hashlib import sha256

import pytest

from auth_gateway.docs_pages import PROBLEM_CATALOGUE
from devkit.testing.raw_http import RawResponse

from ..support.error_codes import VALIDATOR_CODES, error_codes
from ..support.gateway_process import RunningGateway

PAGES = ["/docs", "/problems/task-not-found"]


async def get(gateway: RunningGateway, path: str) -> RawResponse:
    """Read a page without a token."""
    return await gateway.request("GET", path)


def content_security_policy(page: RawResponse) -> dict[str, list[str]]:
    """Return the sources of each directive of a page's content security policy."""
    policy: dict[str, list[str]] = {}
    for directive in page.header_values("content-security-policy")[0].split(";"):
        name, _, sources = directive.strip().partition(" ")
        policy[name] = sources.split()
    return policy


def csp_hash(content: str) -> str:
    digest = sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_every_code_is_explained_and_no_other() -> None:
    assert sorted(PROBLEM_CATALOGUE) == sorted(error_codes() | VALIDATOR_CODES)


@pytest.mark.parametrize("code", sorted(PROBLEM_CATALOGUE))
async def test_a_code_has_a_page(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.header_values("content-type")) == (200, ["text/html; charset=utf-8"])
    assert f"<code>{code}</code>" in page.body.decode()


@pytest.mark.parametrize("code", ["nothing", "NOT-FOUND", "%3Cscript%3E", "..", "not-found/x"])
async def test_an_unknown_code_has_no_page(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.code) == (404, "not-found")


async def test_the_type_of_a_problem_is_the_path_of_its_page(gateway: RunningGateway) -> None:
    problem = json.loads((await get(gateway, "/tasks")).body)

    assert (await get(gateway, problem["type"])).status == 200


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_use_its_own_style_and_script_only(
    gateway: RunningGateway, path: str
) -> None:
    page = await get(gateway, path)
    policy = content_security_policy(page)
    text = page.body.decode()

    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    for element in ("script", "style"):
        contents = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", text, re.DOTALL)
        hashes = [csp_hash(content) for content in contents]
        assert policy.get(f"{element}-src", []) == hashes
    assert not re.search(r"""https?://|//[a-z]+\.|src=|<link|\bon[a-z]+=["']|style=""", text)


async def test_the_openapi_document_has_all_public_paths(gateway: RunningGateway) -> None:
    document = json.loads((await get(gateway, "/openapi.json")).body)

    assert document["openapi"].startswith("3.1")
    paths = document["paths"].keys()
    assert {"/tasks", "/tasks/{task_id}", "/users/me", "/users/{user_id}"} <= paths
    assert not [path for path in paths if path.startswith("/internal")]
