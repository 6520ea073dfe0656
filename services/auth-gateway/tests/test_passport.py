"""Passports for the services."""

import base64
from dataclasses import replace
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_gateway import passport as passport_module
from auth_gateway.authentication import Identity
from auth_gateway.passport import PassportSigner
from common.identity import PassportVerifier

from .support.helpers import Clock
from .support.token_factory import NOW, USER

ADA = Identity(UUID(USER), "Ada|1", "better-auth", "ada@example.com", NOW + 900, None)
GRACE = Identity(UUID(int=1), "grace", "better-auth", None, NOW + 900, None)
KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def signer(clock: Clock) -> PassportSigner:
    return PassportSigner(KEY, clock)


def test_a_passport_has_the_user_and_an_expiry(signer: PassportSigner) -> None:
    passport = signer.get_passport(ADA).token

    assert jwt.get_unverified_header(passport) == {"typ": "passport+jwt", "alg": "EdDSA"}
    claims = jwt.decode(
        passport,
        KEY.public_key(),
        ["EdDSA"],
        audience="services",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims == {
        "iss": "auth-gateway",
        "aud": "services",
        "sub": USER,
        "ext": {"issuer": "better-auth", "subject": "Ada|1"},
        "email": "ada@example.com",
        "iat": NOW,
        "exp": NOW + 60,
    }


def test_the_services_accept_a_passport() -> None:
    public = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).decode()

    user = PassportVerifier([public]).verify(PassportSigner(KEY).get_passport(ADA).token)

    assert user.id == ADA.user_id
    assert user.issuer == "better-auth"
    assert user.subject == "Ada|1"
    assert user.email == "ada@example.com"


def test_an_unknown_email_is_left_out(signer: PassportSigner) -> None:
    token = signer.get_passport(GRACE).token
    claims = jwt.decode(token, options={"verify_signature": False})

    assert "email" not in claims


def test_a_passport_is_reused_until_shortly_before_it_expires(
    signer: PassportSigner, clock: Clock
) -> None:
    first = signer.get_passport(ADA)
    clock.now = NOW + 44.9
    assert signer.get_passport(ADA) is first
    clock.now = NOW + 45
    assert signer.get_passport(ADA) is not first
    assert signer.signature_count == 2


def test_every_user_and_email_has_an_own_passport(signer: PassportSigner) -> None:
    ada_with_new_email = replace(ADA, email="new@example.com")

    assert (
        len(
            {
                signer.get_passport(identity).token
                for identity in (ADA, GRACE, ada_with_new_email, ADA)
            }
        )
        == 3
    )
    assert signer.signature_count == 3


def test_the_number_of_cached_passports_is_limited(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passport_module, "CACHED_PASSPORTS_MAX", 1)
    signer = PassportSigner(KEY, clock)
    for identity in (ADA, GRACE, ADA):
        signer.get_passport(identity)

    assert signer.signature_count == 3
