"""Settings that stop the start, and settings that are derived from others."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from auth_gateway.settings import BETTER_AUTH_DEFAULT, GatewaySettings
from common.settings import read_settings

from .support.helpers import MakeSettings
from .support.token_factory import ISSUER, OLD_SECRET, SECRET

ALLOW_WEAK_SECRET = {"dangerously_allow_weak_secret": "true"}
PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"


def invalid_settings(make_settings: MakeSettings, **changes: str | None) -> list[str]:
    """Return the names of the settings that are rejected."""
    with pytest.raises(ValidationError) as caught:
        make_settings(**changes)
    return [str(error["loc"][0]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    "secret",
    ["short", "x" * 31, "ü" * 15, BETTER_AUTH_DEFAULT, PEM, '{"kty":"oct","k":"' + "A" * 43 + '"}'],
)
def test_a_weak_secret_stops_the_start(make_settings: MakeSettings, secret: str) -> None:
    assert invalid_settings(make_settings, better_auth_secret=secret) == ["better_auth_secret"]
    assert invalid_settings(
        make_settings, better_auth_secret=None, better_auth_secrets=f"2:{SECRET},1:{secret}"
    ) == ["better_auth_secrets"]


@pytest.mark.parametrize("secret", ["short", BETTER_AUTH_DEFAULT])
def test_a_weak_secret_must_be_allowed_explicitly(make_settings: MakeSettings, secret: str) -> None:
    settings = make_settings(
        better_auth_secrets=None, better_auth_secret=secret, **ALLOW_WEAK_SECRET
    )

    assert settings.hmac_secrets == [secret.encode()]


@pytest.mark.parametrize(
    "secrets",
    [
        "2:",
        f"2:{SECRET},1:",
        SECRET,
        f"new:{SECRET}",
        f":{SECRET}",
        f"2:{SECRET},",
        f"2: {SECRET}",
        f"2:{SECRET} ",
    ],
)
def test_a_malformed_rotation_stops_the_start(make_settings: MakeSettings, secrets: str) -> None:
    assert invalid_settings(make_settings, better_auth_secrets=secrets) == ["better_auth_secrets"]
    assert invalid_settings(make_settings, better_auth_secrets=secrets, **ALLOW_WEAK_SECRET) == [
        "better_auth_secrets"
    ]


def test_secrets_are_in_the_order_of_the_rotation_and_the_single_one_last(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(
        better_auth_secret="single" * 6, better_auth_secrets=f"7:{SECRET}, 3:{OLD_SECRET}:x"
    )

    assert settings.hmac_secrets == [SECRET.encode(), f"{OLD_SECRET}:x".encode(), b"single" * 6]


def test_neither_secret_nor_url_stops_the_start(make_settings: MakeSettings) -> None:
    assert invalid_settings(make_settings, better_auth_secrets=None, better_auth_url=None) == [
        "better_auth_url"
    ]
    assert invalid_settings(
        make_settings, better_auth_secrets=None, better_auth_url=None, better_auth_secret=""
    ) == ["better_auth_url"]
    assert invalid_settings(make_settings, better_auth_secrets="2:weak", better_auth_url=None) == [
        "better_auth_secrets"
    ]


@pytest.mark.parametrize(
    ("url", "origin", "jwks_url"),
    [
        (
            "https://auth.example.com",
            "https://auth.example.com",
            "https://auth.example.com/api/auth/jwks",
        ),
        (
            "https://auth.example.com/",
            "https://auth.example.com",
            "https://auth.example.com/api/auth/jwks",
        ),
        (
            "https://auth.example.com//",
            "https://auth.example.com",
            "https://auth.example.com/api/auth/jwks",
        ),
        ("https://a.example/base/", "https://a.example", "https://a.example/base/api/auth/jwks"),
        ("https://a.example/api/auth", "https://a.example", "https://a.example/api/auth/jwks"),
        ("https://A.Example:443", "https://a.example", "https://A.Example:443/api/auth/jwks"),
        (
            "https://a.example:8443",
            "https://a.example:8443",
            "https://a.example:8443/api/auth/jwks",
        ),
        ("http://localhost:3000", "http://localhost:3000", "http://localhost:3000/api/auth/jwks"),
        ("http://127.0.0.1:80", "http://127.0.0.1", "http://127.0.0.1:80/api/auth/jwks"),
        ("http://[::1]:3000", "http://[::1]:3000", "http://[::1]:3000/api/auth/jwks"),
        (
            "https://zürich.example",
            "https://xn--zrich-kva.example",
            "https://zürich.example/api/auth/jwks",
        ),
    ],
)
def test_origin_and_jwks_url_are_derived_from_the_url(
    make_settings: MakeSettings, url: str, origin: str, jwks_url: str
) -> None:
    settings = make_settings(better_auth_url=url)

    assert settings.better_auth_issuers == settings.better_auth_audiences == (origin,)
    assert settings.jwks_url == jwks_url


def test_each_part_can_be_set_separately(make_settings: MakeSettings) -> None:
    settings = make_settings(
        better_auth_jwks_url="https://internal.example/keys",
        better_auth_issuers="https://a.example, https://b.example/",
        better_auth_audiences="api",
    )

    assert settings.jwks_url == "https://internal.example/keys"
    assert settings.better_auth_issuers == ("https://a.example", "https://b.example/")
    assert settings.better_auth_audiences == ("api",)


def test_a_jwks_url_without_a_url_needs_issuer_and_audience(make_settings: MakeSettings) -> None:
    url = "https://a.example/keys"

    invalid = invalid_settings(make_settings, better_auth_url=None, better_auth_jwks_url=url)
    assert invalid == ["better_auth_issuers", "better_auth_audiences"]
    settings = make_settings(
        better_auth_url=None,
        better_auth_jwks_url=url,
        better_auth_issuers="a",
        better_auth_audiences="b",
    )
    assert settings.jwks_url == url


def test_keys_are_not_fetched_over_http_from_another_machine(make_settings: MakeSettings) -> None:
    for url in (
        "http://auth.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://[::2]",
    ):
        assert invalid_settings(make_settings, better_auth_url=url) == ["better_auth_url"]
        assert (
            invalid_settings(make_settings, better_auth_url=None, better_auth_jwks_url=url)[0]
            == "better_auth_jwks_url"
        )
        assert make_settings(
            better_auth_url=url, better_auth_jwks_url="https://a.example/keys"
        ).jwks_url
        assert make_settings(
            better_auth_url=url, better_auth_jwks_url=None, allow_insecure_jwks_url="true"
        ).jwks_url


@pytest.mark.parametrize(
    "url",
    [
        "auth.example.com",
        "ftp://a.example",
        "https://",
        "https://u:p@a.example",
        "https://a.example?x=1",
        "https://a.example#x",
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "better_auth_url",
        "better_auth_jwks_url",
        "tasks_url",
        "users_url",
        "better_auth_server_url",
    ],
)
def test_a_url_setting_must_be_a_plain_url(
    make_settings: MakeSettings, name: str, url: str
) -> None:
    assert invalid_settings(make_settings, **{name: url}) == [name]


def test_the_url_of_the_better_auth_server_has_no_path(make_settings: MakeSettings) -> None:
    url = "http://127.0.0.1:3000"

    assert invalid_settings(make_settings, better_auth_server_url=f"{url}/api/auth") == [
        "better_auth_server_url"
    ]
    assert make_settings(better_auth_server_url=f"{url}/").better_auth_server_url == url


@pytest.mark.parametrize(
    "origins",
    ["*", "https://a.example/", "https://a.example/app", "a.example", "https://A.example", "null"],
)
def test_cors_origins_are_exact(make_settings: MakeSettings, origins: str) -> None:
    assert invalid_settings(make_settings, cors_origins=f"https://b.example,{origins}") == [
        "cors_origins"
    ]
    assert make_settings(cors_origins="https://b.example, http://localhost:5173").cors_origins == (
        "https://b.example",
        "http://localhost:5173",
    )


@pytest.mark.parametrize(
    "names", ["*", "X_Client", "X.Client", "X Client", "X-Client:", "x" * 65, "Ü"]
)
def test_cors_request_headers_are_names_of_headers(make_settings: MakeSettings, names: str) -> None:
    assert invalid_settings(make_settings, cors_request_headers=f"X-Client,{names}") == [
        "cors_request_headers"
    ]
    assert make_settings(cors_request_headers="X-Client, x-2").cors_request_headers == (
        "X-Client",
        "x-2",
    )


@pytest.mark.parametrize("app", ["on", "off"])
def test_the_app_can_be_switched_off(make_settings: MakeSettings, tmp_path: Path, app: str) -> None:
    (tmp_path / "index.html").touch()
    settings = make_settings(app=app, app_folder=str(tmp_path))

    assert settings.shown_app_folder == (tmp_path if app == "on" else None)


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_folder_without_a_built_app_stops_the_start(
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    *,
    has_folder: bool,
) -> None:
    folder = tmp_path / "dist"
    if has_folder:
        folder.mkdir()

    assert invalid_settings(make_settings, app_folder=str(folder)) == ["app_folder"]
    with pytest.raises(SystemExit):
        read_settings(GatewaySettings)
    assert f"APP_FOLDER: must be the folder of a built app: {folder}" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["A" * 43, "A" * 43 + "=", "-_" * 21 + "A"])
def test_a_passport_key_is_32_bytes(make_settings: MakeSettings, key: str) -> None:
    assert len(make_settings(passport_private_key=key).passport_key.private_bytes_raw()) == 32


@pytest.mark.parametrize("key", ["A" * 42, "A" * 44, "A" * 42 + "!", "A" * 42 + "é", PEM])
def test_an_invalid_passport_key_stops_the_start(make_settings: MakeSettings, key: str) -> None:
    assert invalid_settings(make_settings, passport_private_key=key) == ["passport_private_key"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("keys_max_age_seconds", "0"), ("issuer_label", "a b"), ("issuer_label", "a" * 65)],
)
def test_other_settings_have_limits(make_settings: MakeSettings, name: str, value: str) -> None:
    assert invalid_settings(make_settings, **{name: value}) == [name]


def test_one_message_names_all_invalid_settings_and_no_secret(
    make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    changes: dict[str, str | None] = {
        "better_auth_secrets": "2:hunter2,1:hunter3",
        "better_auth_secret": "hunter4",
        "better_auth_url": "http://a.example",
        "passport_private_key": "hunter5",
        "tasks_url": None,
        "cors_origins": "*",
    }
    with pytest.raises(ValidationError) as caught:
        make_settings(**changes)
    with pytest.raises(SystemExit):
        read_settings(GatewaySettings)

    message = capsys.readouterr().err
    for name in ("BETTER_AUTH_SECRETS:", "BETTER_AUTH_SECRET:", "BETTER_AUTH_URL:"):
        assert name in message
    for name in ("PASSPORT_PRIVATE_KEY", "TASKS_URL", "CORS_ORIGINS"):
        assert name in message
    assert "hunter" not in message + str(caught.value) + repr(caught.value)


def test_a_representation_shows_no_secret(make_settings: MakeSettings) -> None:
    representation = repr(make_settings(better_auth_secret="single" * 6))

    for secret in (SECRET, OLD_SECRET, "single", "AAAA"):
        assert secret not in representation
    assert ISSUER in representation
