"""Edges in front of a real gateway and of stub servers in place of the services."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import Service
from devkit.testing.stub_server import StubServer
from devkit.testing.traefik import start_traefik
from e2e.support.contract import PROBLEM_TYPE
from e2e.support.entrypoint import TRAEFIK

FRONT_END_ORIGIN: Final = "https://app.example.com"

SUBJECT: Final = "c0ffee00-0000-4000-8000-000000000001"
"""The subject of the tokens: a UUID, and therefore the user id as well."""

STEADY_RESPONSES: Final = 6
"""How many problem documents in a row show that the edge takes its error pages from the gateway."""


@dataclass(frozen=True)
class Edge:
    """A running Traefik, and the servers behind it."""

    service: Service
    gateway: Service
    tasks: StubServer
    users: StubServer

    @property
    def port(self) -> int:
        """The port of the edge."""
        return int(self.service.url.rpartition(":")[2])

    @property
    def process(self) -> Process:
        """The process of the edge."""
        return self.service.process

    @property
    def routes(self) -> Path:
        """The edge's own copy of `routes.yml`."""
        return self.process.log.with_suffix("") / "routes.yml"

    async def wait_for_logged_request(self, request_id: str) -> dict[str, object]:
        """Wait until the access log has one record with this request id, and return it.

        The edge logs a request after it has sent the response.
        """

        async def is_logged() -> bool:
            return bool(self.logged_requests(request_id))

        await self.process.wait_until(is_logged)
        [record] = self.logged_requests(request_id)
        return record

    def logged_requests(self, request_id: str) -> list[dict[str, object]]:
        """Return the records of the access log that have this request id."""
        records: list[dict[str, object]] = []
        for line in self.process.log_lines():
            if f'"request_X-Request-Id":"{request_id}"' in line:
                records.append(json.loads(line))
        return records

    def logged_errors(self) -> list[dict[str, object]]:
        """Return the log records of level error."""
        errors: list[dict[str, object]] = []
        for line in self.process.log_lines():
            if line.startswith("{"):
                record = json.loads(line)
                if record["level"] == "error":
                    errors.append(record)
        return errors


@dataclass(frozen=True)
class EdgeTestbed:
    """A gateway and two stub servers that any number of edges share."""

    group: ProcessGroup
    gateway: Service
    tasks: StubServer
    users: StubServer

    async def start_edge(self, **environment: str) -> Edge:
        """Start an edge without rate limits.

        Args:
            environment: Further settings as in `routes.yml`; they take precedence.
        """
        assert TRAEFIK
        settings = {
            "CORS_ORIGINS": FRONT_END_ORIGIN,
            "LIMIT_PER_ADDRESS": "0",
            "LIMIT_PER_USER": "0",
            "AUTH_GATEWAY_URLS": self.gateway.url,
            "TASKS_URLS": f"http://127.0.0.1:{self.tasks.port}",
            "USERS_URLS": f"http://127.0.0.1:{self.users.port}",
        }
        settings |= environment
        service = start_traefik(self.group, TRAEFIK, settings)
        url = service.url
        if "TLS_CERTIFICATE_FILE" in settings:
            url = url.replace("http:", "https:")
        await _wait_for_error_pages(service.process, url)
        self.tasks.reset()
        self.users.reset()
        return Edge(service, self.gateway, self.tasks, self.users)


async def _wait_for_error_pages(edge: Process, url: str) -> None:
    """Wait until every error is a problem document.

    The edge takes its error pages from any of its servers until it has found out that a stub
    server has none.
    """

    async def is_steady() -> bool:
        for _ in range(STEADY_RESPONSES):
            try:
                response = await client.get("/nothing")
            except httpx.TransportError:
                return False
            if response.headers.get("content-type") != PROBLEM_TYPE:
                return False
        return True

    async with httpx.AsyncClient(
        base_url=url,
        verify=False,  # noqa: S501 - the certificate is not what this waits for
        trust_env=False,
    ) as client:
        await edge.wait_until(is_steady)
