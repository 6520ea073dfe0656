"""What the gateway of `make run` was told about tokens, for commands in another terminal.

Those would judge tokens by their own environment, in which `PORT` or `BETTER_AUTH_URL` may be
missing. Secrets are not written down.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devkit.platform.lockfile import is_locked

NAMES: Final = (
    "BETTER_AUTH_URL",
    "BETTER_AUTH_ISSUERS",
    "BETTER_AUTH_AUDIENCES",
    "BETTER_AUTH_JWKS_URL",
    "ISSUER_LABEL",
)
"""Settings that decide about tokens, besides the secrets."""


def write_gateway_record(folder: Path, environment: Mapping[str, str]) -> None:
    """Write the settings of the gateway that is being started; they are read while it runs."""
    settings = {name: environment.get(name, "") for name in NAMES}
    _file_in(folder).write_text(json.dumps(settings))


def read_gateway_record(folder: Path) -> dict[str, str]:
    """Return the settings of the gateway that runs now; empty if none does."""
    if not is_locked(folder):
        return {}
    try:
        return json.loads(_file_in(folder).read_text())
    except FileNotFoundError:
        return {}


def _file_in(folder: Path) -> Path:
    return folder / "gateway.json"
