"""What a developer can say in the environment and in `.env`, and how it reaches the services."""

import json
import subprocess
import sys
from pathlib import Path

from devkit.platform.databases import database_environment

READ = """
import json, os, sys
from pathlib import Path
from devkit.platform.settings import load_settings
settings = load_settings(Path(sys.argv[1]))
databases = sorted(settings.configured_databases)
print(json.dumps([settings.port, databases, os.environ.get("TASKS_PER_USER_MAX"), os.environ.get("ISSUER_LABEL")]))
"""


def read(file: Path, **environment: str) -> list[object]:
    command = [sys.executable, "-c", READ, str(file)]
    return json.loads(
        subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    )


def test_the_file_adds_to_the_environment_which_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "PORT=8081\nTASKS_PER_USER_MAX=7\nISSUER_LABEL='a$HOME'\nUSERS_DATABASE_URL=postgresql://h/users\n"
    )

    assert read(file) == [8081, ["users"], "7", "a$HOME"]
    assert read(file, PORT="8082", USERS_DATABASE_URL="", ISSUER_LABEL="b") == [8082, [], "7", "b"]
    assert read(tmp_path / "none") == [8080, [], None, None]


def test_a_file_that_compose_would_read_otherwise_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("BETTER_AUTH_SECRET=secret$word\n")

    done = subprocess.run(
        [sys.executable, "-c", READ, str(file)], env={}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"{file}, line 1: BETTER_AUTH_SECRET has a $")
    assert "secret$word" not in done.stderr


def test_the_example_can_be_copied_as_it_is() -> None:
    assert read(Path(__file__).parents[3] / ".env.example")[:2] == [8080, []]


def test_a_direct_address_is_used_only_beside_the_pooled_one_it_belongs_to() -> None:
    named = {"TASKS_DATABASE_URL": "pooled", "TASKS_DATABASE_URL_UNPOOLED": "direct"}

    assert (
        database_environment({"tasks": "pooled"}, named)["TASKS_DATABASE_URL_UNPOOLED"] == "direct"
    )
    assert (
        database_environment({"tasks": "embedded"}, named)["TASKS_DATABASE_URL_UNPOOLED"]
        == "embedded"
    )
    assert database_environment({"users": "pooled"}, {})["USERS_DATABASE_URL_UNPOOLED"] == "pooled"
