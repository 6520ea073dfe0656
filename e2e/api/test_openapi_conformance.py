"""The platform accepts what the OpenAPI document allows, and responds as it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from e2e.support.user_client import UserClientFactory

CONFIGURATION: Final = Path(__file__).parents[1] / "schemathesis.toml"

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user id in the examples of the document."""

TIMEOUT_SECONDS: Final = 240
"""Far longer than the run takes, because test machines are busy."""


def write_credentials(file: Path, authorization_headers: dict[str, str]) -> None:
    """Write the `Authorization` header of each user for Schemathesis.

    Source: Web Fuzzing Commons, authentication.
    """
    entries: list[object] = []
    for name, value in authorization_headers.items():
        header = {"name": "Authorization", "value": value}
        entries.append({"name": name, "fixedHeaders": [header]})
    file.write_text(json.dumps({"auth": entries}))


@pytest.mark.scenario(
    "S001-SC-005", "S002-US4.3", "S002-SC-002", "S002-SC-007", "S006-FR-002", "S006-SC-002"
)
def test_the_platform_conforms_to_the_openapi_document(
    base_url: str, as_subject: UserClientFactory, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials.json"
    authorization_headers = {
        "ada": as_subject(EXAMPLE_USER).headers["authorization"],
        "bob": as_subject(str(uuid4())).headers["authorization"],
    }
    write_credentials(credentials, authorization_headers)

    schemathesis = Path(sys.executable).with_name("schemathesis")
    process = subprocess.run(
        [schemathesis, "--config-file", CONFIGURATION, "run", f"{base_url}/openapi.json"],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"BASE_URL": base_url, "CREDENTIALS": str(credentials)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert process.returncode == 0, process.stdout
