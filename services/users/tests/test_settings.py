"""Settings that stop the start."""

import pytest

from common.settings import read_settings
from users.settings import UsersSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all settings from the environment."""
    for name in UsersSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_all_missing_settings_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(UsersSettings)

    message = capsys.readouterr().err
    assert "USERS_DATABASE_URL:" in message
    assert "PASSPORT_PUBLIC_KEYS:" in message
    assert "TASKS_URL:" in message


def test_all_invalid_settings_are_named_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USERS_DATABASE_URL", "mysql://me:hush@host/name")
    monkeypatch.setenv("USERS_DATABASE_URL_UNPOOLED", "hush")
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43 + ",hush")
    monkeypatch.setenv("TASKS_URL", "hush")
    monkeypatch.setenv("PORT", "70000")

    with pytest.raises(SystemExit):
        read_settings(UsersSettings)

    message = capsys.readouterr().err
    for name in (
        "TASKS_URL:",
        "USERS_DATABASE_URL:",
        "USERS_DATABASE_URL_UNPOOLED:",
        "PASSPORT_PUBLIC_KEYS:",
        "PORT:",
    ):
        assert name in message
    assert "hush" not in message


def test_database_key_and_tasks_url_are_sufficient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "USERS_DATABASE_URL", "postgresql://me:hush@host-pooler.example/name?sslmode=verify-full"
    )
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43)
    monkeypatch.setenv("TASKS_URL", "http://tasks:8000")

    settings = read_settings(UsersSettings)

    assert settings.host == "127.0.0.1"
    assert "hush" not in repr(settings)
