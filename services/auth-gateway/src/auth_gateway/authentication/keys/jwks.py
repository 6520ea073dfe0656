"""Parses a JWK Set, and selects the keys that may verify a token (rule 4 of the token rules)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from auth_gateway.authentication.keys.errors import KeySetError
from common.problems import BadRequest
from common.strict_json import parse_json

ALGORITHMS_BY_KEY_TYPE: Final = {
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("RSA", None): frozenset({"PS256", "RS256"}),
}
"""The algorithms of a key's type and curve; `Ed25519` is another name of `EdDSA` with that curve.

Source: RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864, 2.2.
"""

PUBLISHED_ALGORITHMS: Final = frozenset[str]().union(*ALGORITHMS_BY_KEY_TYPE.values())
"""Every `alg` that is verified with a published key."""

KEYS_MAX: Final = 64
"""Keys in one set."""

RSA_MIN_BITS: Final = 2048
"""Source: RFC 7518, 3.3."""

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""A key that publishes one of these is known to others.

Source: RFC 7518, 6.2.2, 6.3.2 and 6.4.1; RFC 8037, 2.
"""

MEMBER_MAX_CHARACTERS: Final = 20
"""The longest part of a wrong member that messages quote."""

_PRIME: Final = 2**255 - 19
_D: Final = -121_665 * pow(121_666, -1, _PRIME)

_JWK_READERS: Final = {
    "OKP": OKPAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "RSA": RSAAlgorithm.from_jwk,
}

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, and the only algorithms that it may be used with."""

    key_id: str | None
    algorithms: frozenset[str]
    public_key: PublicKey


class KeySet:
    """The usable keys of one JWK Set; `rejected` has one reason for every other key."""

    def __init__(self, keys: Sequence[VerificationKey], rejected: Sequence[str] = ()) -> None:
        self._keys = keys
        self.rejected = tuple(rejected)
        self._by_id = {key.key_id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def key_ids(self) -> list[str]:
        """The key ids, in the order of the set."""
        return [key.key_id for key in self._keys if key.key_id is not None]

    def get(self, key_id: str) -> VerificationKey | None:
        """Return the key with this id."""
        return self._by_id.get(key_id)

    def matching(self, algorithm: str) -> list[VerificationKey]:
        """Return all keys that a token without a key id may be signed with."""
        return [key for key in self._keys if algorithm in key.algorithms]


class _UnusableKeyError(Exception):
    """Says why a key must not verify anything."""


def parse_key_set(document: bytes) -> KeySet:
    """Parse a JWK Set, and leave out every key that must not verify anything.

    Raises:
        KeySetError: It is malformed, has too many keys, or no usable one.
    """
    jwks = _parse_jwks(document)
    key_id_counts = _count_key_ids(jwks)
    keys: list[VerificationKey] = []
    rejected: list[str] = []
    for jwk in jwks:
        try:
            keys.append(_parse_key(jwk, key_id_counts))
        except _UnusableKeyError as error:
            rejected.append(str(error))
    if not keys:
        raise KeySetError("publishes no key that may be used", "; ".join(rejected))
    return KeySet(keys, rejected)


def _parse_jwks(document: bytes) -> list[object]:
    try:
        key_set = parse_json(document)
    except BadRequest:
        raise KeySetError("answers with something that is not strict JSON") from None
    jwks = None
    if _is_object(key_set):
        jwks = key_set.get("keys")
    if not _is_list(jwks):
        raise KeySetError('answers with JSON that has no list "keys", so it is no key set')
    if len(jwks) > KEYS_MAX:
        raise KeySetError(f"publishes more than {KEYS_MAX} keys")
    if not jwks:
        raise KeySetError("publishes an empty key set")
    return jwks


def _count_key_ids(jwks: list[object]) -> Counter[str]:
    counts = Counter[str]()
    for jwk in jwks:
        if not _is_object(jwk):
            continue
        key_id = jwk.get("kid")
        if isinstance(key_id, str):
            counts[key_id] += 1
    return counts


def _parse_key(jwk: object, key_id_counts: Counter[str]) -> VerificationKey:
    if not _is_object(jwk):
        raise _UnusableKeyError("no JSON object")
    key_id = jwk.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise _UnusableKeyError("kid is no text")
    if key_id is not None and key_id_counts[key_id] > 1:
        raise _UnusableKeyError("several keys have this kid")
    if jwk.get("use", "sig") != "sig":
        raise _UnusableKeyError("use is not sig")
    operations = jwk.get("key_ops", ["verify"])
    if not _is_list(operations) or "verify" not in operations:
        raise _UnusableKeyError("key_ops lacks verify")
    algorithms = _get_algorithms(jwk)
    if PRIVATE_MEMBERS & jwk.keys():
        raise _UnusableKeyError("it shows a private key")
    return VerificationKey(key_id, algorithms, _parse_public_key(jwk))


def _get_algorithms(jwk: dict[str, object]) -> frozenset[str]:
    """Return the algorithms of the key's type and curve, narrowed to its own `alg` if it has one.

    Raises:
        _UnusableKeyError: Type and curve are not supported, or contradict `alg`.
    """
    key_type = jwk.get("kty")
    curve = jwk.get("crv")
    algorithms = _algorithms_of_type(key_type, curve)
    if algorithms is None:
        raise _UnusableKeyError(f"kty {_quote(key_type)} with crv {_quote(curve)} is not supported")
    if "alg" not in jwk:
        return algorithms
    algorithm = jwk["alg"]
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise _UnusableKeyError(f"alg {_quote(algorithm)} does not fit kty {_quote(key_type)}")
    if key_type == "RSA":
        return frozenset({algorithm})
    return algorithms


def _algorithms_of_type(key_type: object, curve: object) -> frozenset[str] | None:
    # Compared one by one, because members of a JWK may be values that cannot be hashed.
    for (known_type, known_curve), algorithms in ALGORITHMS_BY_KEY_TYPE.items():
        if key_type == known_type and known_curve in (None, curve):
            return algorithms
    return None


def _quote(member: object) -> str:
    return ascii(member)[:MEMBER_MAX_CHARACTERS]


def _parse_public_key(jwk: dict[str, object]) -> PublicKey:
    try:
        key = _JWK_READERS[str(jwk["kty"])](jwk)
    except (PyJWTError, TypeError, ValueError):
        raise _UnusableKeyError("its numbers make no public key") from None
    if isinstance(key, RSAPublicKey) and key.key_size < RSA_MIN_BITS:
        raise _UnusableKeyError(f"RSA with less than {RSA_MIN_BITS} bit")
    if isinstance(key, Ed25519PublicKey) and _has_small_order(key):
        raise _UnusableKeyError("a point of small order, for which everybody can sign")
    if not isinstance(key, PublicKey):
        raise _UnusableKeyError("no public key")
    return key


def _has_small_order(key: Ed25519PublicKey) -> bool:
    """Return whether a key is a point of order 1, 2, 4 or 8, for which anyone can make signatures.

    Source: RFC 8032, 5.1.
    """
    number = int.from_bytes(key.public_bytes_raw(), "little")
    y = number % 2**255 % _PRIME  # without the sign bit
    if y in (0, 1, _PRIME - 1):
        return True
    return (_D * y**4 + 2 * y**2 - 1) % _PRIME == 0


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
