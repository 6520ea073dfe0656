"""Whom a service believes: a passport of the gateway, and nobody else, also at its own port."""

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
    answer = await as_user("anybody").get("/tasks", headers=headers)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] in {"token-missing", "token-invalid", "token-expired"}
    return answer.status_code


async def test_a_good_passport_is_believed(as_user: ClientFactory, keys: PassportKeys) -> None:
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
async def test_a_passport_with_one_wrong_claim_is_refused(
    as_user: ClientFactory, keys: PassportKeys, wrong: Claims
) -> None:
    user = str(uuid4())
    now = int(time.time())
    told = {name: now + value if isinstance(value, int) else value for name, value in wrong.items()}
    claims = {name: value for name, value in (_claims(user) | told).items() if value is not None}

    assert await _status(as_user, user, _sign(keys.signing_key, claims)) == 401


async def test_a_passport_of_another_type_or_key_is_refused(
    as_user: ClientFactory, keys: PassportKeys
) -> None:
    user = str(uuid4())

    assert await _status(as_user, user, _sign(keys.signing_key, _claims(user), "JWT")) == 401
    assert await _status(as_user, user, _sign(Ed25519PrivateKey.generate(), _claims(user))) == 401
    assert (
        await _status(
            as_user, user, jwt.encode(_claims(user), "s" * 32, headers={"typ": "passport+jwt"})
        )
        == 401
    )
    assert await _status(as_user, user, mint_token("s" * 32, user)) == 401
    assert await _status(as_user, user, "") == 401
    assert await _status(as_user, user, "a.b.c") == 401


async def test_a_passport_ends_although_it_was_believed_before(
    as_user: ClientFactory, keys: PassportKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid4())
    passport = _sign(keys.signing_key, _claims(user))
    assert await _status(as_user, user, passport) == 200

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 91)

    assert await _status(as_user, user, passport) == 401


async def test_the_header_and_the_passport_say_the_same(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    own, other = owner.headers["x-user-id"], str(uuid4())
    passport = owner.headers["authorization"]

    for ids in ([], [other], [own, own], [own, other], [f"{own} "], [own.upper()], [""]):
        headers = [("Authorization", passport), *(("X-User-Id", value) for value in ids)]
        owner.headers = dict(headers[:1])
        answer = await owner.get("/tasks", headers=headers[1:])
        assert answer.status_code == (401 if ids != [own] else 200), ids


async def test_without_a_passport_nobody_is_known(as_user: ClientFactory) -> None:
    client = as_user("owner")
    del client.headers["authorization"]

    for method, address in (("GET", "/tasks"), ("POST", "/tasks"), ("DELETE", f"/tasks/{uuid4()}")):
        answer = await client.request(method, address, content=b"no JSON")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "value", ["{} {}", "Basic {}", "{}", "Bearer  {}", "Bearer,{}", "Bearer\t{}"]
)
async def test_a_header_that_is_no_bearer_token_is_refused(
    as_user: ClientFactory, value: str
) -> None:
    owner = as_user("owner")
    passport = owner.headers["authorization"].removeprefix("Bearer ")

    answer = await owner.get("/tasks", headers={"Authorization": value.replace("{}", passport)})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")


@pytest.mark.parametrize(
    ("verb", "path", "header"),
    [
        ("GET", "/tasks", "If-None-Match"),
        ("POST", "/tasks", "If-None-Match"),
        ("POST", "/tasks", "Idempotency-Key"),
        ("PATCH", "/tasks/019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "If-Match"),
        ("PUT", "/tasks/019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "If-None-Match"),
    ],
)
async def test_who_is_calling_comes_before_what_they_ask_for(
    as_user: ClientFactory, verb: str, path: str, header: str
) -> None:
    caller = as_user("anybody")
    assert (await caller.request(verb, path, headers={header: ""})).status_code == 400

    del caller.headers["authorization"]
    assert (await caller.request(verb, path, headers={header: ""})).status_code == 401
