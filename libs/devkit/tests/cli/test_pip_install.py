"""The setup uses pip's index settings of the machine, and none of its other settings."""

import os
import subprocess
import sys
from pathlib import Path

from devkit.cli.pip_install import install_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.settings import CHECKOUT

PIP_CONFIGURATION = """
[global]
quiet = 3
user = true
require-hashes = true
index-url = https://packages.example.com/simple
find-links =
    /wheels
    /more
[install]
target = /nowhere
timeout = 7
"""

PIP_VARIABLES = {
    "PIP_TARGET": "/nowhere",
    "PIP_NO_DEPS": "1",
    "PIP_TRUSTED_HOST": "packages.example.com",
    "PIP_RETRIES": "",
}

EXPECTED_VARIABLES = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_INDEX_URL": "https://packages.example.com/simple",
    "PIP_FIND_LINKS": "\n/wheels\n/more",
    "PIP_TIMEOUT": "7",
    "PIP_TRUSTED_HOST": "packages.example.com",
}
"""What pip gets of configuration and variables, besides what this machine's own files say."""


def test_pip_gets_the_index_settings_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(PIP_CONFIGURATION)
    machine_variables = install_environment({"PATH": os.defpath})

    environment = install_environment(
        PIP_VARIABLES | {"PATH": os.defpath, "PIP_CONFIG_FILE": str(file)}
    )

    pip_variables = {
        name: value
        for name, value in environment.items()
        if name.startswith("PIP_") and (name in EXPECTED_VARIABLES or name not in machine_variables)
    }
    assert pip_variables == EXPECTED_VARIABLES


def test_an_installation_works_if_pip_is_configured_to_install_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[install]\nuser = true\n")
    environment = minimal_environment()
    environment["PIP_CONFIG_FILE"] = str(file)
    environment["PIP_USER"] = "1"
    environment["PIP_PREFIX"] = "/nowhere"
    script = CHECKOUT / "libs/devkit/src/devkit/cli/pip_install.py"
    package = str(CHECKOUT / "libs/common")
    command = [
        sys.executable,
        str(script),
        "--dry-run",
        "--no-deps",
        "--no-build-isolation",
        package,
    ]

    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (process.returncode, process.stderr) == (0, "")
