"""Makes tokens and key sets: valid ones, and ones with exactly one mistake."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import (
    Algorithm,
    ECAlgorithm,
    HMACAlgorithm,
    OKPAlgorithm,
    RSAAlgorithm,
    RSAPSSAlgorithm,
)

NOW: Final = 1_800_000_000
"""The current time of the tests, in Unix seconds."""

ISSUER: Final = "https://auth.example.com"
SECRET: Final = "current-" * 5
OLD_SECRET: Final = "previous" * 5
USER: Final = "0198f3a2-7c11-7e4e-9a54-0b8f6c1d2e3f"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Json = Mapping[str, object]

_ALGORITHMS: Final[dict[str, Algorithm]] = {
    "EdDSA": OKPAlgorithm(),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "ES384": ECAlgorithm(ECAlgorithm.SHA384),
    "ES512": ECAlgorithm(ECAlgorithm.SHA512),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "HS256": HMACAlgorithm(HMACAlgorithm.SHA256),
}


def segment(content: bytes) -> bytes:
    """Encode a part of a token as base64url."""
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def without_ellipsis(members: Json) -> dict[str, object]:
    """Leave out the members whose value is `...`."""
    return {name: value for name, value in members.items() if value is not ...}


def json_bytes(members: Json) -> bytes:
    """Encode an object as JSON, without members whose value is `...`."""
    return json.dumps(without_ellipsis(members)).encode()


@dataclass(frozen=True)
class Signer:
    """Signs tokens with one algorithm and key."""

    algorithm: str
    key: PrivateKey | bytes
    key_id: str | None = None

    def sign(self, header: bytes, payload: bytes) -> bytes:
        """Sign any header and payload, even invalid ones."""
        content = segment(header) + b"." + segment(payload)
        signature = _ALGORITHMS[self.algorithm].sign(content, self.key)
        return content + b"." + segment(signature)

    def token(self, claims: Json, **header_changes: object) -> bytes:
        """Sign claims. A header parameter that is `...` is left out."""
        header: dict[str, object] = {"alg": self.algorithm}
        if self.key_id is not None:
            header["kid"] = self.key_id
        header.update(header_changes)
        return self.sign(json_bytes(header), json_bytes(claims))

    def jwk(self, **changes: object) -> dict[str, object]:
        """Return the public key as Better Auth publishes it. A member that is `...` is left out."""
        members = public_jwk(self.key)
        members["alg"] = self.algorithm
        members["kid"] = self.key_id
        members.update(changes)
        return without_ellipsis(members)


def public_jwk(key: PrivateKey | bytes) -> dict[str, object]:
    """Return the public members of a key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    if isinstance(key, rsa.RSAPrivateKey):
        members = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {"kty": members["kty"], "n": members["n"], "e": members["e"]}
    return HMACAlgorithm.to_jwk(key, as_dict=True)


EDDSA: Final = Signer("EdDSA", ed25519.Ed25519PrivateKey.generate(), "key-eddsa")
ES256: Final = Signer("ES256", ec.generate_private_key(ec.SECP256R1()), "key-es256")
ES512: Final = Signer("ES512", ec.generate_private_key(ec.SECP521R1()), "key-es512")
PS256: Final = Signer("PS256", rsa.generate_private_key(65537, 2048), "key-ps256")
RS256: Final = Signer("RS256", rsa.generate_private_key(65537, 2048), "key-rs256")
PUBLISHED: Final = [EDDSA, ES256, ES512, PS256, RS256]
"""One signer for each algorithm that Better Auth can be configured to use."""

STRANGER: Final = Signer("EdDSA", ed25519.Ed25519PrivateKey.generate(), "key-stranger")
HS256: Final = Signer("HS256", SECRET.encode())
OLD_HS256: Final = Signer("HS256", OLD_SECRET.encode())

LOGIN: Final[Json] = {
    "id": USER,
    "name": "Ada",
    "email": "ada@example.com",
    "emailVerified": True,
    "image": None,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "sub": USER,
    "iss": ISSUER,
    "aud": ISSUER,
    "iat": NOW,
    "exp": NOW + 900,
}
"""The claims of a login token: what `/api/auth/token` signs."""

MINTED: Final[Json] = {"sub": USER, "exp": NOW + 900}
"""The fewest claims of a token that is signed with the secret."""


def with_changes(claims: Json, changes: Json) -> dict[str, object]:
    """Return claims with some of them changed; `...` leaves a claim out of a token."""
    changed = dict(claims)
    changed.update(changes)
    return changed


def login(signer: Signer = EDDSA, /, **changes: object) -> bytes:
    """Make a login token with changed claims."""
    return login_with(changes, signer)


def login_with(changes: Json, signer: Signer = EDDSA) -> bytes:
    """Make a login token with changed claims."""
    return signer.token(with_changes(LOGIN, changes))


def minted(signer: Signer = HS256, /, **changes: object) -> bytes:
    """Make a token signed with the secret with changed claims."""
    return minted_with(changes, signer)


def minted_with(changes: Json, signer: Signer = HS256) -> bytes:
    """Make a token signed with the secret with changed claims."""
    return signer.token(with_changes(MINTED, changes))


def key_set(*keys: Json) -> bytes:
    """Encode a JWK Set."""
    return key_set_of(keys)


def key_set_of(keys: Sequence[Json]) -> bytes:
    """Encode a JWK Set."""
    return json.dumps({"keys": list(keys)}).encode()
