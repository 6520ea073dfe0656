"""Public pages: the OpenAPI document, its viewer, problem codes, and guides for front ends."""

import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import WithJsonSchema
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route

from auth_gateway.problem_catalogue import PROBLEM_CATALOGUE
from auth_gateway.problem_pages import render_problem_index, render_problem_page
from auth_gateway.static_files import IMMUTABLE, REVALIDATE, StaticFile
from common.problems import NotFound

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page without scripts may load. Source: Content Security Policy Level 3."""

VIEWER_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The same for the viewer, whose styles contain images."""

ProblemCode = Annotated[
    str,
    WithJsonSchema(
        {
            "title": "Code",
            "type": "string",
            "enum": sorted(PROBLEM_CATALOGUE),
            "examples": ["task-not-found"],
        }
    ),
]
"""A code of the catalogue. Any other text is a valid path parameter, but 404."""

_PUBLIC: Final = files("auth_gateway") / "public"
_SWAGGER_UI: Final = files("fastapi_swagger") / "resources"
_MEDIA_TYPES: Final = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def _read_asset(folder: Traversable, name: str) -> StaticFile:
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return StaticFile(folder.joinpath(name).read_bytes(), media_type)


ASSETS: Final[Mapping[str, StaticFile]] = {
    "swagger-ui-bundle.js": _read_asset(_SWAGGER_UI, "swagger-ui-bundle.js"),
    "swagger-ui.css": _read_asset(_SWAGGER_UI, "swagger-ui.css"),
    "docs.js": _read_asset(_PUBLIC / "docs", "docs.js"),
    "plugin.js": _read_asset(_PUBLIC / "docs", "plugin.js"),
    "session.js": _read_asset(_PUBLIC / "docs", "session.js"),
    "docs.css": _read_asset(_PUBLIC / "docs", "docs.css"),
    "pages.css": _read_asset(_PUBLIC / "docs", "pages.css"),
    "start.svg": _read_asset(_PUBLIC, "start.svg"),
}
"""What the pages load, by its name below `/docs/`."""


def html_file(page: str) -> StaticFile:
    """Return a page, with URLs of its assets that may be cached for ever."""

    def add_version(match: re.Match[str]) -> str:
        return f'"/docs/{match[1]}?v={ASSETS[match[1]].digest}"'

    return StaticFile(re.sub(r'"/docs/([a-z-]+\.[a-z]+)"', add_version, page).encode(), "text/html")


def _read_guides() -> dict[str, str]:
    """Return the guides for front ends by their name, without the overview of the folder."""
    guides: dict[str, str] = {}
    for file in sorted((_PUBLIC / "guides").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".md") and file.name != "README.md":
            guides[file.name] = file.read_text()
    return guides


def _describe_guide(name: str, text: str) -> str:
    """Return a line of `llms.txt`: a link with the guide's title, and its first paragraph."""
    title, paragraph, *_ = [*text.split("\n\n", 2), ""]
    summary = " ".join(paragraph.split())
    return f"- [{title.removeprefix('# ').strip()}](/docs/front-ends/{name}): {summary}"


GUIDES: Final = _read_guides()
"""The guides in `docs/front-ends`, by their file name."""

_OPENAPI: Final = StaticFile((_PUBLIC / "openapi.json").read_bytes(), "application/json")
_VIEWER: Final = html_file((_PUBLIC / "docs" / "index.html").read_text())
_PROBLEM_INDEX: Final = html_file(render_problem_index())
_PROBLEM_PAGES: Final = {code: html_file(render_problem_page(code)) for code in PROBLEM_CATALOGUE}
_LLMS_TEXT: Final = StaticFile(
    Template((_PUBLIC / "llms.txt").read_text())
    .substitute(guides="\n".join(_describe_guide(name, text) for name, text in GUIDES.items()))
    .encode(),
    "text/plain",
)

_router = APIRouter(tags=["documents"])


@_router.get("/openapi.json", response_class=JSONResponse)
async def show_openapi(request: Request) -> Response:
    """Show the API of all services as one OpenAPI document."""
    return await _OPENAPI.respond(request, {"Cache-Control": REVALIDATE})


@_router.get("/docs", response_class=HTMLResponse)
async def show_docs(request: Request) -> Response:
    """Show the API as a page on which requests can be tried."""
    return await _respond_with_page(request, _VIEWER, VIEWER_POLICY)


@_router.get("/problems", response_class=HTMLResponse)
async def list_problems(request: Request) -> Response:
    """List all problem codes, grouped by status."""
    return await _respond_with_page(request, _PROBLEM_INDEX, PAGE_POLICY)


@_router.get("/problems/{code}", response_class=HTMLResponse)
async def show_problem(request: Request, code: ProblemCode) -> Response:
    """Explain a problem code, and what a client can do about it."""
    if code not in _PROBLEM_PAGES:
        raise NotFound(detail="There is no such code.")
    return await _respond_with_page(request, _PROBLEM_PAGES[code], PAGE_POLICY)


@_router.get("/llms.txt", response_class=PlainTextResponse)
async def show_llms_text(request: Request) -> Response:
    """List the guides and documents for programs that write front ends (llmstxt.org)."""
    return await _LLMS_TEXT.respond(request, {"Cache-Control": REVALIDATE})


async def _respond_with_page(request: Request, page: StaticFile, policy: str) -> Response:
    headers = {"Cache-Control": REVALIDATE, "Content-Security-Policy": policy}
    return await page.respond(request, headers)


def _file_route(path: str, file: StaticFile) -> Route:
    """Return a route of its own for a file, so that other names stay unknown paths."""

    async def show_file(request: Request) -> Response:
        is_versioned = request.query_params.get("v") == file.digest
        cache_control = IMMUTABLE if is_versioned else REVALIDATE
        return await file.respond(request, {"Cache-Control": cache_control})

    return Route(path, show_file, methods=["GET"])


def _file_routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    for name, asset in ASSETS.items():
        routes.append(_file_route(f"/docs/{name}", asset))
    for name, text in GUIDES.items():
        guide = StaticFile(text.encode(), "text/plain")
        routes.append(_file_route(f"/docs/front-ends/{name}", guide))
    return routes


routes: Final[list[BaseRoute]] = [*_router.routes, *_file_routes()]
"""The public pages. None needs a token."""
