"""Verifies tokens: PyJWT in the middle, stricter checks before and after it.

The numbers are those of the rules in this package's docstring.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import jwt
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import (
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    InvalidTokenError,
    MissingRequiredClaimError,
)
from jwt.types import Options

from auth_gateway.authentication.claims import (
    get_email,
    get_issued_at,
    get_subject,
    reject_email_link_or_session_cookie,
    reject_oauth_token,
    validate_times,
)
from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.keys import KeyCache, PublicKey, VerificationKey
from auth_gateway.authentication.parser import HMAC_ALGORITHM, UnverifiedToken, parse_token
from auth_gateway.authentication.reasons import Reason
from auth_gateway.identity import Identity, derive_user_id
from auth_gateway.settings import TokenSettings

LOGIN_CLAIMS: Final = ["iss", "aud", "iat", "exp", "sub"]
"""The claims of every login token that Better Auth signs itself (rule 7)."""

# The name of RFC 9864, 2.2 for EdDSA with Ed25519, the only curve that `keys` accepts.
jwt.register_algorithm("Ed25519", OKPAlgorithm())


@dataclass(frozen=True, slots=True)
class _ExpectedClaims:
    """What PyJWT checks in the claims. None: not checked."""

    issuers: frozenset[str] | None
    audiences: frozenset[str] | None
    required: list[str]


class Verifier:
    """Verifies whose login a token is; `signatures_checked` counts the signature checks."""

    def __init__(
        self, settings: TokenSettings, keys: KeyCache, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._has_keys = settings.jwks_url is not None
        self._secrets = settings.hmac_secrets
        self._issuers = frozenset(settings.better_auth_issuers)
        self._audiences = frozenset(settings.better_auth_audiences)
        self._issuer_label = settings.issuer_label
        self._clock = clock
        self.signatures_checked = 0

    async def verify(self, text: bytes) -> Identity:
        """Return the identity that a token proves.

        Raises:
            InvalidToken: It breaks a rule.
            KeysUnavailable: Its key cannot be fetched now (rule 12).
        """
        token = parse_token(text)  # rules 1 to 3
        try:
            if token.algorithm == HMAC_ALGORITHM:
                self._verify_secret_profile(token)
            else:
                await self._verify_published_profile(token)
            expires_at = validate_times(token.claims, self._clock())  # rule 5
            subject = get_subject(token.claims)  # rule 6
        except InvalidToken as error:
            error.key_id = token.key_id
            raise
        return Identity(
            user_id=derive_user_id(self._issuer_label, subject),
            subject=subject,
            issuer_label=self._issuer_label,
            email=get_email(token.claims),
            expires_at=expires_at,
            key_id=token.key_id,
        )

    def _verify_secret_profile(self, token: UnverifiedToken) -> None:
        """Check rules 8 and 9. Issuer and audience may be absent, but must be right if present."""
        if not self._secrets:
            raise InvalidToken(Reason.HS256_OFF)
        expected = _ExpectedClaims(
            issuers=self._issuers if "iss" in token.claims else None,
            audiences=self._audiences if "aud" in token.claims else None,
            required=[],
        )
        self._check_signature(token, self._secrets, expected)
        reject_email_link_or_session_cookie(token.claims)

    async def _verify_published_profile(self, token: UnverifiedToken) -> None:
        """Check rules 4, 7 and 11."""
        if not self._has_keys:
            raise InvalidToken(Reason.PUBLISHED_KEYS_OFF)
        key = await self._get_public_key(token)
        expected = _ExpectedClaims(self._issuers, self._audiences, LOGIN_CLAIMS)
        self._check_signature(token, [key], expected)
        reject_oauth_token(token.claims)

    async def _get_public_key(self, token: UnverifiedToken) -> PublicKey:
        """Return the key that the token names, or else the only match (rules 11 and 4)."""
        if token.key_id is None:
            key_set = await self._keys.key_set()
            matching_keys = key_set.matching(token.algorithm)
            if len(matching_keys) != 1:
                raise InvalidToken(Reason.KEY_NOT_NAMED)
            return matching_keys[0].public_key
        key = self._keys.cached_key(token.key_id)
        if key is None:
            key = await self._fetch_key(token, token.key_id)
        if token.algorithm not in key.algorithms:
            raise InvalidToken(Reason.KEY_DISAGREES)
        return key.public_key

    async def _fetch_key(self, token: UnverifiedToken, key_id: str) -> VerificationKey:
        """Return a key that is not cached.

        The claims are checked first, so that a token that no key could make valid costs no fetch.
        """
        self._check_login_claims(token)
        now = self._clock()
        validate_times(token.claims, now)
        get_subject(token.claims)
        digest = sha256(token.text.encode()).digest()
        key = await self._keys.key(key_id, digest, now - get_issued_at(token.claims))
        if key is None:
            raise InvalidToken(Reason.UNKNOWN_KEY)
        return key

    def _check_login_claims(self, token: UnverifiedToken) -> None:
        """Check rule 7 on claims whose signature is not checked yet."""
        options = _pyjwt_options(LOGIN_CLAIMS)
        options["verify_signature"] = False
        options["verify_iss"] = True
        options["verify_aud"] = True
        try:
            jwt.decode(token.text, issuer=self._issuers, audience=self._audiences, options=options)
        except InvalidTokenError as error:
            raise InvalidToken(_reason_for(error)) from None
        reject_oauth_token(token.claims)

    def _check_signature(
        self,
        token: UnverifiedToken,
        keys: Iterable[PublicKey | bytes],
        expected: _ExpectedClaims,
    ) -> None:
        """Let PyJWT check signature, issuer and audience (rules 9 and 15).

        Args:
            token: The parsed token.
            keys: The published key, or the secrets of which one must match.
            expected: The claims to check.
        """
        for key in keys:
            self.signatures_checked += 1
            try:
                jwt.decode(
                    token.text,
                    key,
                    algorithms=[token.algorithm],
                    issuer=expected.issuers,
                    audience=expected.audiences,
                    options=_pyjwt_options(expected.required),
                )
            except InvalidSignatureError:
                continue
            except InvalidTokenError as error:
                raise InvalidToken(_reason_for(error)) from None
            return
        raise InvalidToken(Reason.WRONG_SIGNATURE)


def _pyjwt_options(required_claims: list[str]) -> Options:
    """Disable the checks that `claims` makes: PyJWT is lenient, or uses its own clock."""
    return {
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_sub": False,
        "verify_jti": False,
        "require": required_claims,
    }


def _reason_for(error: InvalidTokenError) -> Reason:
    match error:
        case MissingRequiredClaimError(claim="exp"):
            return Reason.NO_EXPIRY
        case MissingRequiredClaimError(claim="sub"):
            return Reason.NO_SUBJECT
        case InvalidIssuerError():
            return Reason.WRONG_ISSUER
        case InvalidAudienceError():
            return Reason.WRONG_AUDIENCE
        case MissingRequiredClaimError():
            return Reason.MISSING_CLAIM
        case _:
            return Reason.NOT_A_JWT
