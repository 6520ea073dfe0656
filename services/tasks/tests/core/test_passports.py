"""The service accepts passports of the gateway and nothing else, even at its own port."""

import time
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devkit.platform.keys import PassportKeys
from devkit.platform.tokens import mint_token
from devkit.testing.auth_headers import ClientFactory

Claims = dict[str, object]


def _claims(user: str) -> Claims:
    now = int(time.time())
    ext = {"issuer": "better-auth", "subject": user}
    return {
        "iss": "auth-gateway",
        "aud": "services",
        "sub": user,
        "ext": ext,
        "iat": now,
        "exp": now + 60,
    }


def _sign(key: Ed25519PrivateKey, claims: Claims, kind: str = "passport+jwt") -> str:
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": kind})


async def _status(as_user: ClientFactory, user: str, passport: str) -> int:
    headers = {"Authorization": f"Bearer {passport}", "X-User-Id": user}
    response = await as_user("anybody").get("/tasks", headers=headers)
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.json()["code"] in {"token-missing", "token-invalid", "token-expired"}
    return response.status_code


async def test_a_valid_passport_is_accepted(as_user: ClientFactory, keys: PassportKeys) -> None:
    user = str(uuid4())

    assert await _status(as_user, user, _sign(keys.signing_key, _claims(user))) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody"},
        {"aud": "others"},
        {"sub": "no-uuid"},
        {"sub": None},
        {"exp": -31},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 9_999_999_999},
        {"ext": None},
        {"ext": {"issuer": "better-auth"}},
    ],
    ids=str,
)
async def test_a_passport_with_an_invalid_claim_is_rejected(
    as_user: ClientFactory, keys: PassportKeys, wrong: Claims
) -> None:
    user = str(uuid4())
    now = int(time.time())
    claims = _claims(user)
    for name, value in wrong.items():
        if value is None:
            del claims[name]
        elif isinstance(value, int):
            claims[name] = now + value
        else:
            claims[name] = value

    assert await _status(as_user, user, _sign(keys.signing_key, claims)) == 401


async def test_a_passport_of_another_type_or_key_is_rejected(
    as_user: ClientFactory, keys: PassportKeys
) -> None:
    user = str(uuid4())

    claims = _claims(user)
    passports = [
        _sign(keys.signing_key, claims, "JWT"),
        _sign(Ed25519PrivateKey.generate(), claims),
        jwt.encode(claims, "s" * 32, headers={"typ": "passport+jwt"}),
        mint_token("s" * 32, user),
        "",
        "a.b.c",
    ]

    for passport in passports:
        assert await _status(as_user, user, passport) == 401


async def test_a_cached_passport_expires(
    as_user: ClientFactory, keys: PassportKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid4())
    passport = _sign(keys.signing_key, _claims(user))
    assert await _status(as_user, user, passport) == 200

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 91)

    assert await _status(as_user, user, passport) == 401


async def test_the_user_header_must_match_the_passport(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    own, other = owner.headers["x-user-id"], str(uuid4())
    passport = owner.headers["authorization"]

    invalid_ids: list[list[str]] = [
        [],
        [other],
        [own, own],
        [own, other],
        [f"{own} "],
        [own.upper()],
        [""],
    ]
    for ids in invalid_ids:
        owner.headers = {"Authorization": passport}
        response = await owner.get("/tasks", headers=[("X-User-Id", value) for value in ids])
        assert response.status_code == 401, ids
    accepted = await owner.get("/tasks", headers={"X-User-Id": own})
    assert accepted.status_code == 200


async def test_requests_without_a_passport_are_rejected(as_user: ClientFactory) -> None:
    client = as_user("owner")
    del client.headers["authorization"]

    for method, path in (("GET", "/tasks"), ("POST", "/tasks"), ("DELETE", f"/tasks/{uuid4()}")):
        response = await client.request(method, path, content=b"no JSON")
        assert (response.status_code, response.json()["code"]) == (401, "token-missing")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "value", ["{} {}", "Basic {}", "{}", "Bearer  {}", "Bearer,{}", "Bearer\t{}"]
)
async def test_an_authorization_header_without_a_bearer_token_is_rejected(
    as_user: ClientFactory, value: str
) -> None:
    owner = as_user("owner")
    passport = owner.headers["authorization"].removeprefix("Bearer ")

    response = await owner.get("/tasks", headers={"Authorization": value.replace("{}", passport)})

    assert (response.status_code, response.json()["code"]) == (401, "token-invalid")


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("GET", "/tasks", "If-None-Match"),
        ("POST", "/tasks", "If-None-Match"),
        ("POST", "/tasks", "Idempotency-Key"),
        ("PATCH", "/tasks/019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "If-Match"),
        ("PUT", "/tasks/019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "If-None-Match"),
    ],
)
async def test_authentication_comes_before_the_other_headers(
    as_user: ClientFactory, method: str, path: str, header: str
) -> None:
    client = as_user("anybody")
    assert (await client.request(method, path, headers={header: ""})).status_code == 400

    del client.headers["authorization"]
    assert (await client.request(method, path, headers={header: ""})).status_code == 401
