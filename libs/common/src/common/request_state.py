"""What a service knows about the request that it serves."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from common.identity import User
from common.problems import ProblemError

SCOPE_KEY: Final = "request_state"
"""The key of the ASGI scope under which `RequestMiddleware` puts the state."""

DISCONNECTED_KEY: Final = "client_disconnected"
"""The key that the server sets in a scope before it cancels the work for a client that has left.

It is not in the state, because the server also serves applications without the middleware.
"""


@dataclass(slots=True)
class RequestState:
    """The state of one request; the request's log line is made from it."""

    method: str
    """The method as it was sent; `scope["method"]` is GET for a HEAD request."""

    request_id: str
    """The id in `X-Request-ID` of the response, in problem documents and in the log."""

    trace_id: str | None
    """The trace id of a valid `traceparent` header."""

    deadline: asyncio.Timeout
    """Ends the request with 503 when it expires; never, if the service has no deadline."""

    user: User | None = None
    """The authenticated user, once the passport is verified."""

    pseudonym: str | None = None
    """What the log calls the user."""

    status: int | None = None
    """The status of the response, once it has begun; 499 if the client left before."""

    error: BaseException | None = None
    """The exception that ended the request."""

    problem: ProblemError | None = None
    """The problem that the response reports, or would report had it not begun already."""

    @classmethod
    def of(cls, scope: Scope) -> "RequestState":
        """Return the state of the request that has this ASGI scope."""
        return scope[SCOPE_KEY]

    def extend_deadline(self, seconds: float) -> None:
        """Let the deadline expire so many seconds from now."""
        self.deadline.reschedule(asyncio.get_running_loop().time() + seconds)
