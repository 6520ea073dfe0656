"""Makes tokens and key sets, right ones and ones that are wrong in exactly one point."""

import base64
import json
from collections.abc import Mapping
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
"""The tests' present, in Unix seconds."""

ISSUER: Final = "https://auth.example.com"
SECRET: Final = "current-" * 5
OLD_SECRET: Final = "previous" * 5
USER: Final = "0198f3a2-7c11-7e4e-9a54-0b8f6c1d2e3f"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Json = Mapping[str, object]


def _algorithm(name: str) -> Algorithm:
    return {
        "EdDSA": OKPAlgorithm(),
        "ES256": ECAlgorithm(ECAlgorithm.SHA256),
        "ES384": ECAlgorithm(ECAlgorithm.SHA384),
        "ES512": ECAlgorithm(ECAlgorithm.SHA512),
        "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
        "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
        "HS256": HMACAlgorithm(HMACAlgorithm.SHA256),
    }[name]


def segment(content: bytes) -> bytes:
    """Spell a part of a token as base64url."""
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def json_bytes(**members: object) -> bytes:
    """Spell an object as JSON; a member that is `...` is left out."""
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


@dataclass(frozen=True)
class Signer:
    """Something that signs tokens: an algorithm, a key, and the name it goes by."""

    algorithm: str
    key: PrivateKey | bytes
    key_id: str | None = None

    def sign(self, header: bytes, payload: bytes) -> bytes:
        """Sign any header and payload, however odd."""
        content = segment(header) + b"." + segment(payload)
        return content + b"." + segment(_algorithm(self.algorithm).sign(content, self.key))

    def token(self, claims: Json, **header: object) -> bytes:
        """Sign claims under the usual header, changed as told."""
        usual = {
            "alg": self.algorithm,
            "kid": self.key_id if self.key_id is not None else ...,
            **header,
        }
        return self.sign(json_bytes(**usual), json_bytes(**claims))

    def jwk(self, **changes: object) -> dict[str, object]:
        """Return the public key as Better Auth publishes it, changed as told."""
        public = public_jwk(self.key)
        named = {**public, "alg": self.algorithm, "kid": self.key_id, **changes}
        return {name: value for name, value in named.items() if value is not ...}


def public_jwk(key: PrivateKey | bytes) -> dict[str, object]:
    """Return a key's public members."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    if isinstance(key, rsa.RSAPrivateKey):
        members = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {name: members[name] for name in ("kty", "n", "e")}
    return HMACAlgorithm.to_jwk(key, as_dict=True)


EDDSA: Final = Signer("EdDSA", ed25519.Ed25519PrivateKey.generate(), "key-eddsa")
ES256: Final = Signer("ES256", ec.generate_private_key(ec.SECP256R1()), "key-es256")
ES512: Final = Signer("ES512", ec.generate_private_key(ec.SECP521R1()), "key-es512")
PS256: Final = Signer("PS256", rsa.generate_private_key(65537, 2048), "key-ps256")
RS256: Final = Signer("RS256", rsa.generate_private_key(65537, 2048), "key-rs256")
PUBLISHED: Final = [EDDSA, ES256, ES512, PS256, RS256]
"""One signer for each algorithm that Better Auth can be told to use."""

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
"""Form A: what `/api/auth/token` signs."""

MINTED: Final[Json] = {"sub": USER, "exp": NOW + 900}
"""Form D in its shortest."""


def login(signer: Signer = EDDSA, /, **changes: object) -> bytes:
    """Make a token of form A, changed as told."""
    return signer.token({**LOGIN, **changes})


def minted(signer: Signer = HS256, /, **changes: object) -> bytes:
    """Make a token of form D, changed as told."""
    return signer.token({**MINTED, **changes})


def key_set(*keys: Json) -> bytes:
    """Spell a JWK Set."""
    return json.dumps({"keys": keys}).encode()
