"""Run `pip install` with the index settings of this machine and no other pip setting.

    .venv/bin/python libs/devkit/src/devkit/cli/pip_install.py -r requirements/dev.txt

pip's configuration files and `PIP_` variables may say where packages come from. Their other options
(`user`, `target`, `prefix`, `no-deps`, `require-hashes`, `constraint`, ...) are meant for other
projects: they would make this setup fail or install something else. Runs before anything is
installed, so only the standard library is used.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping

INDEX_OPTIONS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "cert",
    "client-cert",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
    "keyring-provider",
    "cache-dir",
    "no-cache-dir",
)
"""Options that say where packages come from and how they are fetched."""

SECTIONS = ("global", "install")
"""Sections of a configuration file that apply to `pip install`; the later one wins."""

LISTING_OPTIONS = {"PIP_QUIET": "0", "PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0"}
"""Make `pip config list` show all files, whatever a file says: variables override files."""

LISTED_OPTION = re.compile(r"(?P<section>[\w-]+)\.(?P<option>[\w-]+)=(?P<value>['\"].*['\"])")
"""A line of the output of `pip config list`."""


def variable_name(option: str) -> str:
    """Return the name of the environment variable of a pip option."""
    return "PIP_" + option.upper().replace("-", "_")


def environment_without_pip(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without pip's variables."""
    return {name: value for name, value in environment.items() if not name.startswith("PIP_")}


def read_configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the index options in pip's configuration files.

    Raises:
        SystemExit: pip cannot read a file; the message is pip's.
    """
    pip_environment = environment_without_pip(environment)
    if "PIP_CONFIG_FILE" in environment:
        pip_environment["PIP_CONFIG_FILE"] = environment["PIP_CONFIG_FILE"]
    pip_environment.update(LISTING_OPTIONS)
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(
        command, env=pip_environment, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        sys.exit(listing.stderr or listing.stdout)
    return parse_configuration(listing.stdout)


def parse_configuration(listing: str) -> dict[str, str]:
    """Return the index options in the output of `pip config list`."""
    values: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        listed = LISTED_OPTION.fullmatch(line)
        if not listed:
            continue
        section = listed["section"]
        option = listed["option"]
        if section in SECTIONS and option in INDEX_OPTIONS:
            values[section][option] = ast.literal_eval(listed["value"])
    options: dict[str, str] = {}
    for section in SECTIONS:
        options.update(values[section])
    return options


def install_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of `pip install`.

    It has index options only; an environment variable wins over a configuration file.
    """
    pip_environment = environment_without_pip(environment)
    for option, value in read_configuration(environment).items():
        pip_environment[variable_name(option)] = value
    for option in INDEX_OPTIONS:
        value = environment.get(variable_name(option))
        if value:
            pip_environment[variable_name(option)] = value
    pip_environment["PIP_CONFIG_FILE"] = os.devnull
    pip_environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return pip_environment


def main() -> None:
    """Replace this process by `pip install`."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", *sys.argv[1:]]
    environment = install_environment(os.environ)
    os.execve(sys.executable, command, environment)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main()
