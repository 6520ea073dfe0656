"""A database's URL that cannot work stops the start, and the message names the word that is wrong."""

import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic_settings import BaseSettings
from sqlalchemy import make_url

from common.database.url import DatabaseUrl
from common.settings import read_settings


class OneUrl(BaseSettings):
    """A service that needs nothing else."""

    database_url: DatabaseUrl


def complaint_about(
    url: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    environment.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as stop:
        read_settings(OneUrl)
    assert stop.value.code == 2
    _, _, complaint = capsys.readouterr().err.partition("DATABASE_URL: ")
    return complaint


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("hush", "postgresql://"),
        ("mysql://host/name", "postgresql://"),
        ("postgres+asyncpg://me:hush@host/name", "driver"),
        ("postgresql+psycopg://me:hush@host/name", "driver"),
        ("'postgresql://me:hush@host/name'", "postgresql://"),
        ("postgresql://me:hush@host", "/name"),
        ("postgresql://me:hush@host/", "/name"),
        ("postgresql://host/?sslmode=require", "/name"),
        ("postgresql://me:hu@sh@host/name", "%40"),
        ("postgresql://me:hu/sh@host/name", "%2F"),
        ("postgresql://me:hu?sh@host/name", "%3F"),
        ("postgresql://me:hush%zz@host/name", "%25"),
        ("postgresql://me:hu sh@host/name", "%20"),
        ("postgresql://me:hush@host:54hush/name", "port"),
        ("postgresql://me:hush@host:70000/name", "port"),
        ("postgresql://me:hush@[::1/name", "cannot be read"),
        ("postgresql://me:hush@host/name?pgbouncer=true", " pgbouncer,"),
        ("postgresql://me:hush@host/name?schema=public", " schema,"),
        ("postgresql://me:hush@host/name?sslmode=require&connection_limit=1", " connection_limit,"),
        ("postgresql://me:hush@host/name?ssl=true", " ssl,"),
        ("postgresql://me:hush@host/name?sslmode=hush", " sslmode,"),
        ("postgresql://me:hush@host/name?sslmode", " sslmode,"),
        ("postgresql://me:hush@host/name?channel_binding=hush", " channel_binding,"),
        ("postgresql://me:hush@host/name?connect_timeout=hush", " connect_timeout,"),
        ("postgresql://me:hush@host/name?sslmode=require&sslmode=disable", " sslmode twice"),
        ("postgresql://me:hush@a-pooler.b/name?options=-csearch_path%3Dhush", " options,"),
    ],
)
def test_the_word_that_is_wrong_is_named_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, word: str
) -> None:
    complaint = complaint_about(url, monkeypatch, capsys)

    assert word in complaint
    assert "hu" not in complaint
    assert "sh@" not in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host/name",
        "postgresql://me:a%2Fb@[::1]:5432/name?sslmode=require",
        "postgresql://me:a:b@host/name",
        "postgresql://me:a#b@host/name",
        "postgresql://me@/name?host=/run",
        "postgresql://me@host/name?application_name=a@b",
        "postgresql://me:a@host/name?options=-csearch_path%3Da",
        "postgresql://me:a@a-pooler.b/name?sslmode=verify-full&channel_binding=require&sslrootcert=/etc/ca.crt",
    ],
)
def test_a_url_that_is_taken_means_the_same_to_both_who_read_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    taken = read_settings(OneUrl).database_url.get_secret_value()

    assert taken == url
    read = conninfo_to_dict(taken)
    also_read = make_url(taken)
    assert (also_read.username, also_read.password) == (read.get("user"), read.get("password"))
    assert also_read.database == read["dbname"]
    assert (also_read.host or also_read.query.get("host")) == read.get("host")
