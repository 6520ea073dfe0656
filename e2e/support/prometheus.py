"""A real Prometheus with the configuration, the rules and the dashboard of `deploy/monitoring`."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from httpx import AsyncClient

from devkit.platform.environment import minimal_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import HOST, Service, free_ports, local_url
from e2e.support.scrapes import MONITORING, RULES, Target

DASHBOARD: Final[dict[str, Any]] = json.loads((MONITORING / "dashboard.json").read_text())

VARIABLES: Final = {"$__rate_interval": "1m", "$namespace": ".*"}
"""What Grafana puts into the expressions of the dashboard."""


def start_prometheus(group: ProcessGroup, folder: Path, targets: Sequence[Target]) -> Service:
    """Start Prometheus with its own configuration but for targets on this machine."""
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job in configuration["scrape_configs"]:
        del job["dns_sd_configs"]
        addresses = [
            target.url.split("/")[2] for target in targets if target.job == job["job_name"]
        ]
        job["static_configs"] = [{"targets": addresses}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    shutil.copy(RULES, folder)
    [port] = free_ports(1)
    command = [
        "prometheus",
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    environment = minimal_environment()
    process = group.start("prometheus", command, environment, working_directory=folder)
    return Service("prometheus", local_url(port), process, readiness_path="/-/ready")


async def ask(prometheus: Service, path: str, **parameters: str) -> dict[str, Any]:
    """Return the data of a response of Prometheus's API."""
    async with AsyncClient(base_url=prometheus.url, trust_env=False) as client:
        response = await client.get(f"/api/v1/{path}", params=parameters)
    assert response.is_success, response.text
    return response.json()["data"]


async def query(prometheus: Service, expression: str) -> list[dict[str, Any]]:
    """Return the series of an expression."""
    data = await ask(prometheus, "query", query=expression)
    return data["result"]


def dashboard_expressions(variables: Mapping[str, str] = VARIABLES) -> Iterator[tuple[str, str]]:
    """Yield each expression of the dashboard, as Grafana would send it, with its panel."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in variables.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression
