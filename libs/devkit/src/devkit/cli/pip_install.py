"""Run `pip install` with this machine's index settings and none of its others.

    .venv/bin/python libs/devkit/src/devkit/pip_install.py -r requirements/dev.txt

A configuration file and the environment may say where packages come from. What else they say (`user`, `target`,
`prefix`, `no-deps`, `require-hashes`, `constraint`, …) is meant for other projects, and would make this one's setup
fail or install something else. Runs before anything is installed, so it needs nothing but the standard library.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping

KEPT = (
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
"""Options that say where packages come from and how they get here."""

SECTIONS = ("global", "install")
"""Parts of a configuration file that concern an installation; the later one wins."""

LIST_ALL = {"PIP_QUIET": "0", "PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0"}
"""What makes `pip config list` show everything, whatever a file says: these come before a file."""

LINE = re.compile(r"(?P<section>[\w-]+)\.(?P<option>[\w-]+)=(?P<value>['\"].*['\"])")
"""A line of `pip config list`."""


def variable(option: str) -> str:
    """Return the environment variable that stands for an option."""
    return "PIP_" + option.upper().replace("-", "_")


def environment_without_pip(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what concerns other programs."""
    return {name: value for name, value in environment.items() if not name.startswith("PIP_")}


def configured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the options that the configuration files set and that are kept, by name.

    Raises:
        SystemExit: A file cannot be read; pip says which.
    """
    told = environment_without_pip(environment)
    if "PIP_CONFIG_FILE" in environment:
        told["PIP_CONFIG_FILE"] = environment["PIP_CONFIG_FILE"]
    told.update(LIST_ALL)
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    if listing.returncode:
        sys.exit(listing.stderr or listing.stdout)
    found = [match for match in map(LINE.fullmatch, listing.stdout.splitlines()) if match]
    options: dict[str, str] = {}
    for section in SECTIONS:
        for match in found:
            if match["section"] == section and match["option"] in KEPT:
                options[match["option"]] = ast.literal_eval(match["value"])
    return options


def pip_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an installation: index settings, which the environment says before a file does."""
    told = environment_without_pip(environment)
    for option, value in configured(environment).items():
        told[variable(option)] = value
    for option in KEPT:
        if environment.get(variable(option)):
            told[variable(option)] = environment[variable(option)]
    told["PIP_CONFIG_FILE"] = os.devnull
    told["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return told


def main() -> None:
    """Become pip."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", *sys.argv[1:]]
    os.execve(sys.executable, command, pip_environment(os.environ))  # noqa: S606 - there is none to be escaped


if __name__ == "__main__":
    main()
