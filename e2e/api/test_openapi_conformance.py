"""What the OpenAPI document allows is taken, what it does not is refused, and every answer is one that it names."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from e2e.support.user_client import UserClientFactory

CONFIGURATION: Final = Path(__file__).parents[1].joinpath("schemathesis.toml")

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""Whom the examples of the document name."""

RUN_SECONDS: Final = 240
"""Far more than it takes, because test machines are busy."""


def write_people(file: Path, **users: str) -> None:
    """Write down who may ask, as the fuzzer reads it. Source: Web Fuzzing Commons, authentication."""
    entries = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": authorization}]}
        for name, authorization in users.items()
    ]
    file.write_text(json.dumps({"auth": entries}))


@pytest.mark.scenario(
    "S001-SC-005", "S002-US4.3", "S002-SC-002", "S002-SC-007", "S006-FR-002", "S006-SC-002"
)
def test_the_services_do_what_the_document_says(
    base_url: str, as_subject: UserClientFactory, tmp_path: Path
) -> None:
    users, fuzzer = tmp_path / "people.json", Path(sys.executable).with_name("schemathesis")
    ada, bob = (
        as_subject(subject).headers["authorization"] for subject in (EXAMPLE_USER, str(uuid4()))
    )
    write_people(users, ada=ada, bob=bob)

    done = subprocess.run(
        [fuzzer, "--config-file", CONFIGURATION, "run", f"{base_url}/openapi.json"],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"BASE_URL": base_url, "PEOPLE": str(users)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
    )

    assert done.returncode == 0, done.stdout
