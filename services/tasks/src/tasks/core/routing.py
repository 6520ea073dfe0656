"""How addresses call their functions: with what each need makes of the request, one after the other."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute

Dependency = Callable[[Request], Awaitable[object]]
"""What a parameter of a function depends on."""


class RequestOnlyRoute(APIRoute):
    """A route whose needs are functions of the request alone, which it calls by itself.

    FastAPI reads the signatures for the OpenAPI document as ever, but does not look with every request for what a need
    may need in turn. Whoever reads the query string or the body has made sure that ids in the path are UUIDs.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the function that answers a request."""
        endpoint = cast("Callable[..., Awaitable[Response]]", self.endpoint)
        needs = {
            str(need.name): cast("Dependency", need.call) for need in self.dependant.dependencies
        }
        ids = [field.name for field in self.dependant.path_params]
        itself = [name for name in [self.dependant.request_param_name] if name]

        async def answer(request: Request) -> Response:
            met = {name: await need(request) for name, need in needs.items()}
            met |= {name: UUID(request.path_params[name]) for name in ids}
            return await endpoint(**met, **dict.fromkeys(itself, request))

        return answer
