"""Settings come from the environment and from `.env`, and reach the services."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.platform.databases import database_environment
from devkit.platform.settings import CHECKOUT

PRINT_SETTINGS = """
import json, os, sys
from pathlib import Path
from devkit.platform.settings import load_settings
settings = load_settings(Path(sys.argv[1]))
databases = sorted(settings.configured_databases)
inherited = [os.environ.get(name) for name in ("TASKS_PER_USER_MAX", "ISSUER_LABEL")]
print(json.dumps([settings.port, databases, *inherited]))
"""

NAMED_URLS = {"TASKS_DATABASE_URL": "pooled", "TASKS_DATABASE_URL_UNPOOLED": "direct"}


def read(file: Path, **environment: str) -> list[object]:
    command = [sys.executable, "-c", PRINT_SETTINGS, str(file)]
    process = subprocess.run(command, env=environment, capture_output=True, check=True)
    return json.loads(process.stdout)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "PORT=8081\nTASKS_PER_USER_MAX=7\nISSUER_LABEL='a$HOME'\n"
        "USERS_DATABASE_URL=postgresql://h/users\n"
    )

    assert read(file) == [8081, ["users"], "7", "a$HOME"]
    assert read(file, PORT="8082", USERS_DATABASE_URL="", ISSUER_LABEL="b") == [8082, [], "7", "b"]
    assert read(tmp_path / "none") == [8080, [], None, None]


def test_a_file_that_compose_would_read_differently_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("BETTER_AUTH_SECRET=secret$word\n")

    process = subprocess.run(
        [sys.executable, "-c", PRINT_SETTINGS, str(file)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr.startswith(f"{file}, line 1: BETTER_AUTH_SECRET has a $")
    assert "secret$word" not in process.stderr


def test_the_example_can_be_copied_as_it_is() -> None:
    assert read(CHECKOUT / ".env.example")[:2] == [8080, []]


@pytest.mark.parametrize(
    ("service", "url", "inherited", "direct_url"),
    [
        ("tasks", "pooled", NAMED_URLS, "direct"),
        ("tasks", "embedded", NAMED_URLS, "embedded"),
        ("users", "pooled", {}, "pooled"),
    ],
)
def test_a_direct_url_is_used_only_beside_the_pooled_one_it_belongs_to(
    service: str, url: str, inherited: dict[str, str], direct_url: str
) -> None:
    environment = database_environment({service: url}, inherited)

    assert environment[f"{service.upper()}_DATABASE_URL_UNPOOLED"] == direct_url
