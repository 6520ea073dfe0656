"""What a shell sets for other programs does not reach the processes that devkit starts."""

import os

import pytest

from devkit.platform.environment import minimal_environment, service_environment

FOREIGN_VARIABLES = (
    "PGPORT",
    "PGHOST",
    "PGUSER",
    "PGOPTIONS",
    "PGSERVICE",
    "PYTHONPATH",
    "PYTHONWARNINGS",
    "VIRTUAL_ENV",
    "UV_PYTHON",
    "https_proxy",
)


def test_a_service_gets_what_it_needs_and_the_documented_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in FOREIGN_VARIABLES:
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("TASKS_PER_USER_MAX", "7")

    environment = service_environment()

    assert environment["TASKS_PER_USER_MAX"] == "7"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment.keys().isdisjoint(FOREIGN_VARIABLES)
    assert minimal_environment().keys() <= environment.keys()
