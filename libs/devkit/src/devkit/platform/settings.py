"""What `make run`, `make token` and `make migrate` can be told, by the environment or by `.env`."""

import os
import sys
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.database_url import DatabaseUrl
from common.settings import load
from devkit.platform.env_file import EnvFileError, read_env_file

CHECKOUT: Final = Path(__file__).parents[5]
"""The folder that was cloned: this package is always installed from there."""

VAR: Final = CHECKOUT / "var"
"""What `make run` keeps: data, logs, development keys. Not committed; may be deleted while nothing runs."""


class RunSettings(BaseSettings):
    """What concerns the platform as a whole; whatever else is set reaches the services untouched."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    port: int = Field(default=8080, ge=1, le=65535)
    """TCP port of the gateway on 127.0.0.1."""

    better_auth_secret: SecretStr | None = None
    """Better Auth's secret; made once and kept in `var/keys` when absent."""

    better_auth_url: str | None = None
    """Address of the Better Auth server; without it only tokens signed with the secret are taken."""

    cors_origins: str = ""
    """Comma-separated origins that browsers may call from."""

    tasks_database_url: DatabaseUrl | None = None
    """PostgreSQL URL of the tasks service; an embedded server is used when absent."""

    users_database_url: DatabaseUrl | None = None
    """PostgreSQL URL of the users service; an embedded server is used when absent."""

    @property
    def named_databases(self) -> dict[str, str]:
        """The URLs that were given, by service."""
        given = {"tasks": self.tasks_database_url, "users": self.users_database_url}
        return {owner: url.get_secret_value() for owner, url in given.items() if url}


def load_settings(file: Path = CHECKOUT / ".env") -> RunSettings:
    """Read the environment, after adding what the file says and it does not; services inherit both.

    Raises:
        SystemExit: The file says something that Compose would read otherwise, or a setting is wrong.
    """
    try:
        said = read_env_file(file) if file.exists() else {}
    except EnvFileError as error:
        sys.exit(str(error))
    for name, value in said.items():
        os.environ.setdefault(name, value)
    return load(RunSettings)
