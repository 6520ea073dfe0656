"""Development keys are private to their owner; tokens and passports are as the services expect."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import jwt
import pytest

from devkit.platform.keys import (
    derive_passport_keys,
    generate_private_key,
    load_or_create_passport_keys,
    load_or_create_secret,
)
from devkit.platform.settings import CHECKOUT
from devkit.platform.tokens import DEVELOPER, mint_passport, mint_token, user_id_of

KEY = "at least thirty-two bytes, as HS256 wants"


def test_a_secret_is_created_once_and_readable_for_its_owner_only(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path / "keys")

    assert load_or_create_secret(tmp_path / "keys") == secret
    assert len(secret) >= 32
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_each_checkout_has_secrets_of_its_own(tmp_path: Path) -> None:
    assert load_or_create_secret(tmp_path / "one") != load_or_create_secret(tmp_path / "other")
    assert load_or_create_passport_keys(tmp_path / "one") != load_or_create_passport_keys(
        tmp_path / "other"
    )


def test_processes_that_create_a_secret_at_the_same_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        created_secrets = list(threads.map(load_or_create_secret, [tmp_path] * 8))

    assert set(created_secrets) == {load_or_create_secret(tmp_path)}


def test_a_private_key_is_not_in_the_repr() -> None:
    keys = derive_passport_keys(generate_private_key())

    assert keys.private not in repr(keys)


def test_a_development_token_is_like_those_of_better_auths_users() -> None:
    token = mint_token(KEY, "ann", email="ann@example.com", seconds=60)
    claims = jwt.decode(token, KEY, ["HS256"], options={"require": ["exp", "iat", "sub"]})

    assert claims["sub"] == "ann"
    assert claims["email"] == "ann@example.com"
    assert claims["exp"] - claims["iat"] == 60
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert "email" not in jwt.decode(mint_token(KEY, "ann"), KEY, ["HS256"])


@pytest.mark.parametrize(
    "subject", ["auth0|ann", "--sub", "$HOME/`id`=$(id)", "".join(map(chr, range(0x21, 0x7F)))]
)
def test_make_token_uses_a_subject_character_for_character(subject: str) -> None:
    command = [
        "make",
        "--silent",
        f"--old-file={sys.prefix}/ready",
        "token",
        f"VENV={sys.prefix}",
        f"sub={subject}",
    ]
    token = subprocess.run(
        command, check=True, cwd=CHECKOUT, capture_output=True, text=True
    ).stdout.strip()

    assert jwt.decode(token, options={"verify_signature": False})["sub"] == subject


def test_a_canonical_uuid_is_the_user_id_and_any_other_subject_is_hashed() -> None:
    assert user_id_of(DEVELOPER) == UUID(DEVELOPER)
    assert user_id_of(DEVELOPER.replace("-", "")) != UUID(DEVELOPER)
    assert user_id_of("ann") == UUID("0ac1ba75-e491-5bc6-bef9-7f45fd8aad7e")


def test_a_passport_is_signed_with_the_key_that_the_services_know() -> None:
    keys = derive_passport_keys(generate_private_key())
    passport = mint_passport(keys.signing_key, "ann", email="ann@example.com")

    decoded = jwt.decode_complete(
        passport, keys.signing_key.public_key(), ["EdDSA"], audience="services"
    )
    assert decoded["header"] == {"typ": "passport+jwt", "alg": "EdDSA"}
    assert decoded["payload"]["sub"] == str(user_id_of("ann"))
    assert decoded["payload"]["ext"] == {"issuer": "better-auth", "subject": "ann"}
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            passport,
            derive_passport_keys(generate_private_key()).signing_key.public_key(),
            ["EdDSA"],
            audience="services",
        )
