"""Traefik as `deploy/traefik` configures it, in front of services on this machine."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import HOST, Service, free_ports, metrics_url_of
from devkit.platform.settings import CHECKOUT

CONFIGURATION: Final = CHECKOUT / "deploy" / "traefik"
"""Folder of Traefik's files."""

PUBLIC_ADDRESS: Final = ":8080"
INTERNAL_ADDRESS: Final = "127.0.0.1:8082"
METRICS_ADDRESS: Final = ":9100"
"""Addresses that `traefik.yml` listens at; a start-up file cannot read variables."""

MEMORY_SETTINGS: Final = {"GOGC": "400", "GOMEMLIMIT": "192MiB"}
"""How rarely Traefik collects garbage, as in `docker-compose.yml`."""


def start_traefik(
    group: ProcessGroup,
    traefik: Path,
    environment: Mapping[str, str],
    *,
    port: int | None = None,
) -> Service:
    """Start Traefik with a copy of its configuration that differs in the ports only.

    It is stopped by SIGKILL: an orderly stop takes it five seconds, and it has nothing to lose.

    Args:
        group: Group that the process belongs to.
        traefik: The program.
        environment: The variables that `routes.yml` and `configure.sh` read.
        port: The public port; None for a free one.
    """
    free_port, internal_port, metrics_port = free_ports(3)
    public_port = port or free_port
    internal_address = f"{HOST}:{internal_port}"
    folder = group.logs / f"edge-{public_port}"
    folder.mkdir()
    addresses = {
        PUBLIC_ADDRESS: f"{HOST}:{public_port}",
        INTERNAL_ADDRESS: internal_address,
        METRICS_ADDRESS: f"{HOST}:{metrics_port}",
    }
    command = ["/bin/sh", CONFIGURATION / "configure.sh"]
    subprocess.run(command, cwd=folder, env=minimal_environment() | dict(environment), check=True)
    _set_addresses(folder / "traefik.yml", addresses)
    process = group.start(
        folder.name,
        [traefik, "--configFile=traefik.yml"],
        MEMORY_SETTINGS | dict(environment) | {"EDGE_INTERNAL": internal_address},
        working_directory=folder,
        stop_signal=signal.SIGKILL,
    )
    return Service(
        "edge",
        f"http://{HOST}:{public_port}",
        process,
        metrics_url=metrics_url_of(metrics_port),
    )


def _set_addresses(start_up_file: Path, addresses: Mapping[str, str]) -> None:
    """Replace addresses in a copy of `traefik.yml`.

    Raises:
        CannotRunError: The file does not listen at one of them.
    """
    text = start_up_file.read_text()
    for configured, chosen in addresses.items():
        setting = f'address: "{configured}"'
        if setting not in text:
            raise CannotRunError(f"traefik.yml does not listen at {configured}")
        text = text.replace(setting, f'address: "{chosen}"', 1)
    start_up_file.write_text(text)
