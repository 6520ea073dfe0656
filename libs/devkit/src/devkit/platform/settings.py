"""Settings of `make run`, `make token` and `make migrate`, from the environment or `.env`."""

import os
import sys
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.database.url import DatabaseUrl
from common.settings import read_settings
from devkit.platform.env_file import EnvFileError, read_env_file

CHECKOUT: Final = Path(__file__).parents[5]
"""The root of the repository: this package is always installed from there."""

VAR: Final = CHECKOUT / "var"
"""Folder for data, logs and development keys of `make run`.

Not committed; may be deleted while nothing runs.
"""


class RunSettings(BaseSettings):
    """Settings of the platform as a whole; all other variables reach the services unchanged."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    port: int = Field(default=8080, ge=1, le=65535)
    """TCP port of the gateway on 127.0.0.1."""

    better_auth_secret: SecretStr | None = None
    """Better Auth's secret; generated once and kept in `var/keys` when absent."""

    better_auth_url: str | None = None
    """URL of a Better Auth server of one's own; without it, one is started."""

    better_auth_jwks_url: str | None = None
    """Where the keys of such a server are; names one even without its URL."""

    app: Literal["on", "off"] = "on"
    """Whether an app is shown."""

    app_folder: Path | None = None
    """A built app of one's own; without it, the one of `apps/web` is built."""

    token_seconds: int = Field(default=900, ge=1, le=86_400)
    """How long a token of the Better Auth server that is started is good for."""

    rate_limit: Literal["on", "off"] = "on"
    """Whether this server limits sign-ins and other requests."""

    cors_origins: str = ""
    """Comma-separated origins that browsers may call from."""

    tasks_database_url: DatabaseUrl | None = None
    """PostgreSQL URL of the tasks service; an embedded server is used when absent."""

    users_database_url: DatabaseUrl | None = None
    """PostgreSQL URL of the users service; an embedded server is used when absent."""

    @property
    def url(self) -> str:
        """URL of the gateway, as a browser on this machine calls it."""
        return f"http://localhost:{self.port}"

    @property
    def names_better_auth(self) -> bool:
        """Whether there is a Better Auth server already."""
        return bool(self.better_auth_url or self.better_auth_jwks_url)

    @property
    def configured_databases(self) -> dict[str, str]:
        """The database URLs that are set, by service."""
        urls: dict[str, str] = {}
        if self.tasks_database_url:
            urls["tasks"] = self.tasks_database_url.get_secret_value()
        if self.users_database_url:
            urls["users"] = self.users_database_url.get_secret_value()
        return urls


def load_settings(file: Path = CHECKOUT / ".env") -> RunSettings:
    """Read the settings, after adding to the environment what it lacks and the file has.

    Services inherit both.

    Raises:
        SystemExit: The file has a line that Compose would read differently, or a setting is wrong.
    """
    if file.exists():
        try:
            file_settings = read_env_file(file)
        except EnvFileError as error:
            sys.exit(str(error))
        for name, value in file_settings.items():
            os.environ.setdefault(name, value)
    return read_settings(RunSettings)
