"""Public pages: the OpenAPI document, its page, and one page per problem code."""

import base64
import html
import re
import tomllib
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, TypeAdapter, WithJsonSchema
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute

from common.problems import NotFound


class ProblemExplanation(BaseModel):
    """The meaning of a problem code, and what a client can do about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: str
    remedy: str


def _read_public_file(name: str) -> str:
    return files("auth_gateway").joinpath("public", name).read_text()


PROBLEM_CATALOGUE: Final = TypeAdapter(dict[str, ProblemExplanation]).validate_python(
    tomllib.loads(_read_public_file("problems.toml"))
)
"""The explanation of every code that any of the services responds with."""

_CODE_SCHEMA: Final = {
    "title": "Code",
    "type": "string",
    "enum": sorted(PROBLEM_CATALOGUE),
    "examples": ["task-not-found"],
}

ProblemCode = Annotated[str, WithJsonSchema(_CODE_SCHEMA)]
"""A code of the catalogue. Any other text is a valid path parameter, but 404."""

_OPENAPI: Final = _read_public_file("openapi.json")
_API_PAGE: Final = _read_public_file("docs.html")
_PROBLEM_PAGE: Final = Template(_read_public_file("problem.html"))

_router = APIRouter(tags=["documents"])


@_router.get("/openapi.json", response_class=JSONResponse)
async def show_openapi() -> Response:
    """Show the API of all services as one OpenAPI document."""
    return Response(_OPENAPI, media_type="application/json")


@_router.get("/docs", response_class=HTMLResponse)
async def show_docs() -> Response:
    """Show the API as a page on which requests can be tried."""
    return _html_response(_API_PAGE)


@_router.get("/problems/{code}", response_class=HTMLResponse)
async def show_problem(code: ProblemCode) -> Response:
    """Explain a problem code, and what a client can do about it."""
    return render_problem_page(code)


routes: Final[list[BaseRoute]] = list(_router.routes)
"""The public pages. None needs a token."""


def render_problem_page(code: str) -> Response:
    """Render the page that explains a problem code.

    Raises:
        NotFound: No service uses this code.
    """
    explanation = PROBLEM_CATALOGUE.get(code)
    if explanation is None:
        raise NotFound(detail="There is no such code.")
    page = _PROBLEM_PAGE.substitute(
        code=code,
        meaning=_render_code_spans(explanation.meaning),
        remedy=_render_code_spans(explanation.remedy),
    )
    return _html_response(page)


def _render_code_spans(text: str) -> str:
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text))


def _html_response(page: str) -> HTMLResponse:
    """Serve a page that may use its own inline style and script and this origin only.

    Source: Content Security Policy Level 3, 2.3.1.
    """
    policy = [
        "default-src 'none'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    for element in ("script", "style"):
        contents = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        if contents:
            hashes = " ".join(_csp_hash(content) for content in contents)
            policy.append(f"{element}-src {hashes}")
    return HTMLResponse(page, headers={"Content-Security-Policy": "; ".join(policy)})


def _csp_hash(content: str) -> str:
    digest = sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
