"""How a route calls its endpoint: with the result of each dependency, one after another.

FastAPI resolves dependencies recursively, with an exit stack and a cache for every request. All
dependencies of this service take the request and nothing else, so that a route can call them
itself, and a request does not pay for the general case. FastAPI still reads the signatures for the
OpenAPI document, so that endpoints are declared as usual.

An endpoint of a `RequestOnlyRoute` may declare:

- `Depends(...)` with an async function of the request;
- path parameters, which are UUIDs. They are parsed after all dependencies, one of which has
  rejected an invalid id: whatever reads the query string or the body also validates the path;
- the request.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, cast
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute

Dependency: TypeAlias = Callable[[Request], Awaitable[object]]
Endpoint: TypeAlias = Callable[..., Awaitable[Response]]


class RequestOnlyRoute(APIRoute):
    """A route whose dependencies are functions of the request alone."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that handles a request. FastAPI calls this once for each route."""
        endpoint = cast("Endpoint", self.endpoint)
        dependencies = self._dependencies_by_parameter()
        path_params = [field.name for field in self.dependant.path_params]
        request_param = self.dependant.request_param_name

        async def handle(request: Request) -> Response:
            arguments: dict[str, object] = {}
            for name, dependency in dependencies.items():
                arguments[name] = await dependency(request)
            for name in path_params:
                arguments[name] = UUID(request.path_params[name])
            if request_param is not None:
                arguments[request_param] = request
            return await endpoint(**arguments)

        return handle

    def _dependencies_by_parameter(self) -> dict[str, Dependency]:
        dependencies: dict[str, Dependency] = {}
        for dependant in self.dependant.dependencies:
            dependencies[str(dependant.name)] = cast("Dependency", dependant.call)
        return dependencies
