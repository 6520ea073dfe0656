"""Edges of a test's own, with a real gateway, and stand-ins that answer byte for byte where the services would be."""

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

FRONT_END: Final = "https://app.example.com"
SUBJECT: Final = "c0ffee00-0000-4000-8000-000000000001"

STEADY: Final = 6
"""How many pages in a row come from the gateway once the edge has noticed that a stand-in has none."""


@dataclass(frozen=True)
class Edge:
    """A Traefik, and what it believes to be behind it."""

    service: Service
    gateway: Service
    tasks: StubServer
    users: StubServer

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.service.url.rpartition(":")[2])

    @property
    def process(self) -> Process:
        """The process."""
        return self.service.process

    @property
    def routes(self) -> Path:
        """Its own copy of `routes.yml`."""
        return self.process.log.with_suffix("") / "routes.yml"


@dataclass(frozen=True)
class Backstage:
    """A gateway and two stand-ins, for any number of edges."""

    group: ProcessGroup
    gateway: Service
    tasks: StubServer
    users: StubServer

    async def edge(self, **environment: str) -> Edge:
        """Start an edge before ordinary services; `environment` as in `routes.yml`, without limits if it names none."""
        assert TRAEFIK
        told = {
            "CORS_ORIGINS": FRONT_END,
            "LIMIT_PER_ADDRESS": "0",
            "LIMIT_PER_USER": "0",
            "AUTH_GATEWAY_URLS": self.gateway.url,
            "TASKS_URLS": f"http://127.0.0.1:{self.tasks.port}",
            "USERS_URLS": f"http://127.0.0.1:{self.users.port}",
            **environment,
        }
        service = start_traefik(self.group, TRAEFIK, told)
        await _until_steady(service, "https" if "TLS_CERTIFICATE_FILE" in told else "http")
        self.tasks.reset()
        self.users.reset()
        return Edge(service, self.gateway, self.tasks, self.users)


async def _until_steady(service: Service, scheme: str) -> None:
    """Wait until all refusals are problem documents: a stand-in has none, which the edge has to find out."""

    async def is_steady() -> bool:
        try:
            answers = [await client.get("/nothing") for _ in range(STEADY)]
        except httpx.TransportError:
            return False
        return all(answer.headers.get("content-type") == PROBLEM_TYPE for answer in answers)

    url = service.url.replace("http:", f"{scheme}:")
    async with httpx.AsyncClient(base_url=url, verify=False, trust_env=False) as client:  # noqa: S501 - a look, no more
        await service.process.wait_until(is_steady)
