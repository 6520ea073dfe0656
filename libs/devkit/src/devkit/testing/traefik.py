"""Traefik as `deploy/traefik` sets it up, before services on this machine."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports
from devkit.platform.settings import CHECKOUT

FOLDER: Final = CHECKOUT / "deploy" / "traefik"
"""Traefik's two files."""

ADDRESSES: Final = (":8080", "127.0.0.1:8082", ":9100")
"""Where `traefik.yml` listens, for clients, for itself and for Prometheus: a file that knows no variables."""

COLLECTION: Final = {"GOGC": "400", "GOMEMLIMIT": "192MiB"}
"""How seldom the edge collects garbage, as in `docker-compose.yml`."""


def start_traefik(group: ProcessGroup, traefik: Path, environment: Mapping[str, str]) -> Service:
    """Start Traefik on a copy of its two files, which differs in the ports alone; `routes.yml` says what it is told.

    It is ended without mercy: to leave in order takes it five seconds, and it has nothing to lose.
    """
    web, inside, metrics = (f"127.0.0.1:{free}" for free in free_ports(3))
    folder = group.logs / f"edge-{web.rpartition(':')[2]}"
    folder.mkdir()
    _copy_start_up_file(folder, dict(zip(ADDRESSES, (web, inside, metrics), strict=True)))
    shutil.copy(FOLDER / "routes.yml", folder)
    process = group.start(
        folder.name,
        [traefik, "--configFile=traefik.yml"],
        {**COLLECTION, **environment, "EDGE_INTERNAL": inside},
        working_directory=folder,
        stop_signal=signal.SIGKILL,
    )
    return Service("edge", f"http://{web}", process)


def _copy_start_up_file(folder: Path, addresses: Mapping[str, str]) -> None:
    text = (FOLDER / "traefik.yml").read_text()
    for usual, chosen in addresses.items():
        before, found, after = text.partition(f'address: "{usual}"')
        if not found:
            raise CannotRunError(f"traefik.yml does not listen at {usual}")
        text = f'{before}address: "{chosen}"{after}'
    (folder / "traefik.yml").write_text(text)
