"""What the gateway shows to everybody."""

import base64
import json
import re
from hashlib import sha256

import pytest

from auth_gateway.docs_pages import PROBLEM_CATALOGUE
from devkit.testing.raw_http import RawResponse, build_request, send_request

from ..support.error_codes import VALIDATOR_CODES, error_codes
from ..support.gateway_process import RunningGateway

PAGES = ["/docs", "/problems/task-not-found"]


async def get(gateway: RunningGateway, path: str) -> RawResponse:
    """Read a page as a stranger."""
    return await send_request(gateway.port, build_request("GET", path))


def policy_of(page: RawResponse) -> dict[str, list[str]]:
    """Return a page's content security policy."""
    (policy,) = page.header_values("content-security-policy")
    return {
        name: sources.split()
        for name, _, sources in (rule.strip().partition(" ") for rule in policy.split(";"))
    }


def test_every_code_is_explained_and_no_other() -> None:
    assert sorted(PROBLEM_CATALOGUE) == sorted(error_codes() | VALIDATOR_CODES)


@pytest.mark.parametrize("code", sorted(PROBLEM_CATALOGUE))
async def test_a_code_has_a_page(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.header_values("content-type")) == (200, ["text/html; charset=utf-8"])
    assert f"<code>{code}</code>" in page.body.decode()


@pytest.mark.parametrize("code", ["nothing", "NOT-FOUND", "%3Cscript%3E", "..", "not-found/x"])
async def test_an_unknown_code_has_none(gateway: RunningGateway, code: str) -> None:
    page = await get(gateway, f"/problems/{code}")

    assert (page.status, page.code) == (404, "not-found")


async def test_the_type_of_a_problem_leads_to_its_page(gateway: RunningGateway) -> None:
    problem = json.loads((await get(gateway, "/tasks")).body)

    assert (await get(gateway, problem["type"])).status == 200


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_use_its_own_style_and_script_only(
    gateway: RunningGateway, path: str
) -> None:
    page = await get(gateway, path)
    policy, text = policy_of(page), page.body.decode()

    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    for kind in ("script", "style"):
        found = re.findall(rf"<{kind}[^>]*>(.*?)</{kind}>", text, re.DOTALL)
        hashes = [base64.b64encode(sha256(part.encode()).digest()).decode() for part in found]
        assert policy.get(f"{kind}-src", []) == [f"'sha256-{digest}'" for digest in hashes]
    assert not re.search(r"""https?://|//[a-z]+\.|src=|<link|\bon[a-z]+=["']|style=""", text)


async def test_the_document_is_the_one_that_is_committed(gateway: RunningGateway) -> None:
    document = json.loads((await get(gateway, "/openapi.json")).body)

    assert document["openapi"].startswith("3.1")
    assert {"/tasks", "/tasks/{task_id}", "/users/me", "/users/{user_id}"} <= document[
        "paths"
    ].keys()
    assert not [path for path in document["paths"] if path.startswith("/internal")]
