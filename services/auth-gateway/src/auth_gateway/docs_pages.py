"""What the gateway shows to everybody: the API as a document and as a page, and what each code means."""

import base64
import html
import re
import tomllib
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, WithJsonSchema
from starlette.responses import HTMLResponse, Response

from common.problems import NotFound


class Explanation(BaseModel):
    """What a code means, and what whoever meets it can do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: str
    remedy: str


def _text(name: str) -> str:
    return files("auth_gateway").joinpath("public", name).read_text()


CATALOGUE: Final = TypeAdapter(dict[str, Explanation]).validate_python(
    tomllib.loads(_text("problems.toml"))
)
"""Every code that any of the services answers with."""

Code = Annotated[
    str,
    WithJsonSchema(
        {
            "title": "Code",
            "type": "string",
            "enum": sorted(CATALOGUE),
            "examples": ["task-not-found"],
        }
    ),
]
"""One of them; any other text is no fault of the address, but leads nowhere."""

_OPENAPI = _text("openapi.json")
_API_PAGE = _text("docs.html")
_PROBLEM_PAGE = _text("problem.html")


def openapi() -> Response:
    """Return the document of all services' addresses."""
    return Response(_OPENAPI, media_type="application/json")


def api_page() -> Response:
    """Return the page that shows the document."""
    return _page(_API_PAGE)


def problem_page(code: str) -> Response:
    """Return the page that explains a code.

    Raises:
        NotFound: No service knows it.
    """
    found = CATALOGUE.get(code)
    if found is None:
        raise NotFound(detail="There is no such code.")
    texts = {"code": code, "meaning": _marked_up(found.meaning), "remedy": _marked_up(found.remedy)}
    return _page(Template(_PROBLEM_PAGE).substitute(texts))


def _marked_up(text: str) -> str:
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text))


def _page(page: str) -> HTMLResponse:
    """Let a page use its own style and script and the gateway's own addresses, and nothing else.

    Source: Content Security Policy Level 3, 2.3.1.
    """
    own = {
        kind: re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        for kind in ("script", "style")
    }
    allowed = [f"{kind}-src {' '.join(map(_hash, texts))}" for kind, texts in own.items() if texts]
    policy = ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'"]
    policy += ["frame-ancestors 'none'", *allowed]
    return HTMLResponse(page, headers={"Content-Security-Policy": "; ".join(policy)})


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
