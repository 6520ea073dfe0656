"""What a process that is started here gets of the environment: what it needs, and what is documented."""

import os
import re
from typing import Final

from devkit.platform.settings import CHECKOUT

INHERITED_VARIABLES: Final = ("HOME", "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What programs need to find their way on a machine."""

_SETTING: Final = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)


def minimal_environment() -> dict[str, str]:
    """Return what a process needs that shall depend on nothing a developer has set; its texts are UTF-8."""
    environment = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    environment["PYTHONUTF8"] = "1"
    environment["LC_ALL"] = (
        "C.UTF-8"  # for Python's own start, which reads paths before it knows of the line above
    )
    return environment


def service_environment() -> dict[str, str]:
    """Return that and the settings that `.env.example` documents, as they are set."""
    environment = minimal_environment()
    for name in documented_settings():
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def documented_settings() -> list[str]:
    """Return the names of all settings that the platform knows."""
    return _SETTING.findall((CHECKOUT / ".env.example").read_text("utf-8"))
