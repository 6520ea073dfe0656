"""The gateway's own addresses: the edge's question, and what is shown to everybody."""

from typing import Final

from fastapi import APIRouter, Response
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute, Route

from auth_gateway.authentication import Gatekeeper
from auth_gateway.docs_pages import Code, api_page, openapi, problem_page
from auth_gateway.forward_auth import PATH, Decision

_router = APIRouter(tags=["documents"])


@_router.get("/openapi.json", response_class=JSONResponse)
async def show_openapi() -> Response:
    """Show the API of all services as one OpenAPI document."""
    return openapi()


@_router.get("/docs", response_class=HTMLResponse)
async def show_docs() -> Response:
    """Show the API as a page on which calls can be tried."""
    return api_page()


@_router.get("/problems/{code}", response_class=HTMLResponse)
async def show_problem(code: Code) -> Response:
    """Say what a code in a problem document means, and what to do."""
    return problem_page(code)


documents: Final[list[BaseRoute]] = list(_router.routes)
"""What is shown without a token."""


def decision(gatekeeper: Gatekeeper) -> BaseRoute:
    """Make the address at which an edge asks; it has any verb that the edge uses."""
    return Route(PATH, Decision(gatekeeper), include_in_schema=False)
