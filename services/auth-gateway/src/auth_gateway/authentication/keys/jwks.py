"""Which keys of a published key set may verify a token: rule 4 of the token rules."""

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
from common.validation import parse

FITTING: Final = {
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("RSA", None): frozenset({"PS256", "RS256"}),
}
"""The algorithms that a key's type and curve allow; `Ed25519` is another name of `EdDSA` with that curve.

Source: RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864, 2.2.
"""

PUBLISHED_ALGORITHMS: Final[frozenset[str]] = frozenset[str]().union(*FITTING.values())
"""Every `alg` that is verified with a published key."""

KEYS_MAX: Final = 64
"""Keys in one set."""

RSA_MIN_BITS: Final = 2048
"""Source: RFC 7518, 3.3."""

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""A key that shows one of these is known to others. Source: RFC 7518, 6.2.2, 6.3.2 and 6.4.1; RFC 8037, 2."""

SHOWN_MAX_CHARACTERS: Final = 20
"""Of a member that is wrong."""

_PRIME: Final = 2**255 - 19
_D: Final = -121_665 * pow(121_666, -1, _PRIME)

_READERS: Final = {
    "OKP": OKPAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "RSA": RSAAlgorithm.from_jwk,
}

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, and the only algorithms it may be used with."""

    key_id: str | None
    algorithms: frozenset[str]
    public_key: PublicKey


class KeySet:
    """The usable keys of one key set."""

    def __init__(self, keys: Sequence[VerifyingKey], refused: Sequence[str] = ()) -> None:
        self._keys = keys
        self.refused = tuple(refused)
        """What is wrong with each key that was left out."""
        self._named = {key.key_id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def names(self) -> list[str]:
        """The key ids, in the order of the set."""
        return [key.key_id for key in self._keys if key.key_id is not None]

    def named(self, key_id: str) -> VerifyingKey | None:
        """Return the one key of this name."""
        return self._named.get(key_id)

    def fitting(self, algorithm: str) -> list[VerifyingKey]:
        """Return all keys that a token without a key id may mean."""
        return [key for key in self._keys if algorithm in key.algorithms]


def read_key_set(document: bytes) -> KeySet:
    """Read a JWK Set, and leave out every key that must not verify anything.

    Raises:
        KeySetError: It is broken, has too many keys, or none that is usable.
    """
    try:
        listed = _member(parse(document), "keys")
    except BadRequest:
        raise KeySetError("answers with something that is not strict JSON") from None
    if not _is_list(listed):
        raise KeySetError('answers with JSON that has no list "keys", so it is no key set')
    if len(listed) > KEYS_MAX:
        raise KeySetError(f"publishes more than {KEYS_MAX} keys")
    if not listed:
        raise KeySetError("publishes an empty key set")
    names = Counter(name for jwk in listed if isinstance(name := _member(jwk, "kid"), str))
    keys: list[VerifyingKey] = []
    refused: list[str] = []
    for jwk in listed:
        try:
            keys.append(_usable(jwk, names))
        except _UnusableKeyError as error:
            refused.append(str(error))
    if not keys:
        raise KeySetError("publishes no key that may be used", "; ".join(refused))
    return KeySet(keys, refused)


class _UnusableKeyError(Exception):
    """What is wrong with one key."""


def _usable(jwk: object, names: Counter[str]) -> VerifyingKey:
    """Read one key.

    Raises:
        _UnusableKeyError: It must not verify anything.
    """
    if not _is_object(jwk):
        raise _UnusableKeyError("no JSON object")
    key_id = jwk.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise _UnusableKeyError("kid is no text")
    if key_id is not None and names[key_id] > 1:
        raise _UnusableKeyError("several keys have this kid")
    if jwk.get("use", "sig") != "sig":
        raise _UnusableKeyError("use is not sig")
    operations = jwk.get("key_ops", ["verify"])
    if not _is_list(operations) or "verify" not in operations:
        raise _UnusableKeyError("key_ops lacks verify")
    algorithms = _algorithms(jwk)
    if PRIVATE_MEMBERS & jwk.keys():
        raise _UnusableKeyError("it shows a private key")
    return VerifyingKey(key_id, algorithms, _public_key(jwk))


def _algorithms(jwk: dict[str, object]) -> frozenset[str]:
    """Return what the key's type and curve allow, narrowed to its own `alg` if it has one.

    Raises:
        _UnusableKeyError: They allow nothing, or not what `alg` says.
    """
    kty, curve, own = jwk.get("kty"), jwk.get("crv"), jwk.get("alg")
    form = (kty, None if kty == "RSA" else curve)
    fitting = next((names for known, names in FITTING.items() if known == form), None)
    if fitting is None:
        raise _UnusableKeyError(f"kty {_shown(kty)} with crv {_shown(curve)} is not supported")
    if "alg" not in jwk:
        return fitting
    if not isinstance(own, str) or own not in fitting:
        raise _UnusableKeyError(f"alg {_shown(own)} does not fit kty {_shown(kty)}")
    return frozenset({own}) if kty == "RSA" else fitting


def _shown(member: object) -> str:
    return ascii(member)[:SHOWN_MAX_CHARACTERS]


def _public_key(jwk: dict[str, object]) -> PublicKey:
    try:
        key = _READERS[str(jwk["kty"])](jwk)
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
    """Tell whether a key is one of the few points that everybody can sign for: those of order 1, 2, 4 and 8.

    Source: RFC 8032, 5.1.
    """
    y = int.from_bytes(key.public_bytes_raw(), "little") % 2**255 % _PRIME  # without the sign bit
    return y in (0, 1, _PRIME - 1) or (_D * y**4 + 2 * y**2 - 1) % _PRIME == 0


def _member(document: object, name: str) -> object:
    return document.get(name) if _is_object(document) else None


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
