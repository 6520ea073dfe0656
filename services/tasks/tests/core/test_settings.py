"""Missing and invalid settings stop the start."""

import pytest

from common.settings import read_settings
from tasks.settings import TasksSettings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings of the developer's environment."""
    for name in TasksSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_all_missing_settings_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(TasksSettings)

    message = capsys.readouterr().err
    assert "TASKS_DATABASE_URL:" in message
    assert "PASSPORT_PUBLIC_KEYS:" in message


def test_all_invalid_settings_are_named_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASKS_DATABASE_URL", "mysql://me:hush@host/name")
    monkeypatch.setenv("TASKS_DATABASE_URL_UNPOOLED", "hush")
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43 + ",hush")
    monkeypatch.setenv("PORT", "70000")

    with pytest.raises(SystemExit):
        read_settings(TasksSettings)

    message = capsys.readouterr().err
    for name in (
        "USERS_URL:",
        "TASKS_DATABASE_URL:",
        "TASKS_DATABASE_URL_UNPOOLED:",
        "PASSPORT_PUBLIC_KEYS:",
        "PORT:",
    ):
        assert name in message
    assert "hush" not in message


def test_the_required_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TASKS_DATABASE_URL", "postgresql://me:hush@host-pooler.example/name?sslmode=verify-full"
    )
    monkeypatch.setenv("PASSPORT_PUBLIC_KEYS", "A" * 43)
    monkeypatch.setenv("USERS_URL", "http://users:8000")

    settings = read_settings(TasksSettings)

    assert settings.host == "127.0.0.1"
    assert "hush" not in repr(settings)
