"""What a shell holds for other programs reaches neither libpq nor pip nor Python nor the services."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.cli.pip_install import install_environment
from devkit.platform.environment import minimal_environment, service_environment
from devkit.platform.settings import CHECKOUT

FOREIGN = {
    "PGPORT": "1",
    "PGHOST": "nowhere.invalid",
    "PGUSER": "nobody",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGSERVICE": "nothing",
    "PYTHONPATH": "/nowhere",
    "PYTHONWARNINGS": "error",
    "VIRTUAL_ENV": "/nowhere",
    "UV_PYTHON": "/nowhere",
}
"""What nobody here wants to know."""

PIP_FILE = """
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


EXPECTED = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_INDEX_URL": "https://packages.example.com/simple",
    "PIP_FIND_LINKS": "\n/wheels\n/more",
    "PIP_TIMEOUT": "7",
    "PIP_TRUSTED_HOST": "packages.example.com",
}
"""What is left of it for pip, besides what this machine's own files say."""


def test_a_service_gets_what_it_needs_and_what_is_documented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        **FOREIGN,
        "https_proxy": "http://nowhere.invalid",
        "TASKS_PER_USER_MAX": "7",
    }.items():
        monkeypatch.setenv(name, value)

    environment = service_environment()

    assert environment["TASKS_PER_USER_MAX"] == "7"
    assert environment["PATH"] == os.environ["PATH"]
    assert not {*FOREIGN, "https_proxy"} & set(environment)
    assert set(minimal_environment()) <= set(environment)


def test_pip_learns_where_packages_come_from_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(PIP_FILE)
    told = {
        "PATH": os.defpath,
        "PIP_CONFIG_FILE": str(file),
        "PIP_TARGET": "/nowhere",
        "PIP_NO_DEPS": "1",
        "PIP_TRUSTED_HOST": "packages.example.com",
        "PIP_RETRIES": "",
    }

    environment = install_environment(told)

    of_pip = {name: value for name, value in environment.items() if name.startswith("PIP_")}
    of_this_machine = set(install_environment({"PATH": os.defpath}))
    assert {
        name: value
        for name, value in of_pip.items()
        if name in EXPECTED or name not in of_this_machine
    } == EXPECTED


def test_an_installation_works_where_pip_is_told_to_install_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[install]\nuser = true\n")
    told = {
        **minimal_environment(),
        "PIP_CONFIG_FILE": str(file),
        "PIP_USER": "1",
        "PIP_PREFIX": "/nowhere",
    }
    program = CHECKOUT / "libs/devkit/src/devkit/cli/pip_install.py"
    package = ["--dry-run", "--no-deps", "--no-build-isolation", str(CHECKOUT / "libs/common")]

    done = subprocess.run(
        [sys.executable, program, *package], env=told, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_make_hands_nothing_of_it_on_and_takes_options_from_its_command_line_alone(
    tmp_path: Path,
) -> None:
    show = tmp_path / "show.mk"
    show.write_text('show:\n\t@env\n\t@echo "options: $(v)$(s)$(VENV) end"\n')
    told = {
        **minimal_environment(),
        **FOREIGN,
        "UV_INDEX_URL": "https://x",
        "v": "1",
        "s": "tasks",
        "VENV": "/home",
    }
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", str(show), "show"]

    shown = subprocess.run(
        command, cwd=CHECKOUT, env=told, capture_output=True, text=True, check=True
    ).stdout
    given = subprocess.run(
        [*command, "v=2"], cwd=CHECKOUT, env=told, capture_output=True, text=True, check=True
    ).stdout

    names = {line.split("=")[0] for line in shown.splitlines()}
    assert not set(FOREIGN) & names
    assert {"PATH", "PYTHONUTF8", "UV_INDEX_URL"} <= names
    assert "options: .venv end" in shown
    assert "options: 2.venv end" in given
