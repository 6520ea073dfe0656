"""The environment of the processes that devkit starts: no more than they need."""

import os
import re
from typing import Final

from devkit.platform.settings import CHECKOUT

INHERITED_VARIABLES: Final = ("HOME", "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a program needs to work on this machine."""

_SETTING: Final = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)


def minimal_environment() -> dict[str, str]:
    """Return an environment that depends on no setting of the developer; text is UTF-8."""
    environment: dict[str, str] = {}
    for name in INHERITED_VARIABLES:
        if name in os.environ:
            environment[name] = os.environ[name]
    environment["PYTHONUTF8"] = "1"
    # Python reads paths at its start, before it looks at PYTHONUTF8.
    environment["LC_ALL"] = "C.UTF-8"
    return environment


def service_environment() -> dict[str, str]:
    """Return `minimal_environment` and those settings of `.env.example` that are set."""
    environment = minimal_environment()
    for name in documented_settings():
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def documented_settings() -> list[str]:
    """Return the names of all settings in `.env.example`."""
    return _SETTING.findall((CHECKOUT / ".env.example").read_text("utf-8"))
