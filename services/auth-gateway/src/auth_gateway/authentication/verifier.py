"""The verifier: PyJWT in the middle, what it is lenient about before and after it.

The numbers are those of the rules in this package's docstring.
"""

import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple

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
    email,
    issued_at,
    require_no_mail_link_or_cookie,
    require_no_oauth_token,
    require_subject,
    require_times,
)
from auth_gateway.authentication.errors import Reason, TokenRefused
from auth_gateway.authentication.keys import KeyCache, VerifyingKey
from auth_gateway.authentication.keys.jwks import PublicKey
from auth_gateway.authentication.parser import HMAC_ALGORITHM, UnverifiedToken, read_token
from auth_gateway.identity import Identity, user_id
from auth_gateway.settings import TokenSettings

LOGIN_CLAIMS: Final = ["iss", "aud", "iat", "exp", "sub"]
"""What every login token of Better Auth's own has (rule 7)."""

# PyJWT reads these leniently, or by another clock than ours.
_CHECKED_IN_CLAIMS: Final[Options] = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,
    "verify_jti": False,
}

_UNVERIFIED: Final[Options] = {"verify_signature": False, "verify_iss": True, "verify_aud": True}

# The name that RFC 9864, 2.2 gives to EdDSA with the only curve that `keys` lets in.
jwt.register_algorithm("Ed25519", OKPAlgorithm())


class _Expected(NamedTuple):
    """What PyJWT shall find in the claims; where there is None, it does not look."""

    issuers: frozenset[str] | None
    audiences: frozenset[str] | None
    required: list[str]


class Verifier:
    """Tells whose login a token is; `signatures_checked` counts the work."""

    def __init__(
        self, settings: TokenSettings, keys: KeyCache, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._has_keys = settings.keys_address is not None
        self._secrets = settings.secrets
        self._issuers = frozenset(settings.better_auth_issuers)
        self._audiences = frozenset(settings.better_auth_audiences)
        self._issuer_label = settings.issuer_label
        self._clock = clock
        self.signatures_checked = 0

    async def verify(self, text: bytes) -> Identity:
        """Return who a token speaks for.

        Raises:
            TokenRefused: It breaks a rule.
            KeysUnavailable: It may be good, but nobody can tell now (rule 12).
        """
        token = read_token(text)  # rules 1 to 3
        try:
            if token.algorithm == HMAC_ALGORITHM:
                self._require_secret_profile(token)
            else:
                await self._require_published_profile(token)
            expires_at = require_times(token.claims, self._clock())  # rule 5
            subject = require_subject(token.claims)  # rule 6
        except TokenRefused as refusal:
            refusal.key_id = token.key_id
            raise
        own_id = user_id(self._issuer_label, subject)
        return Identity(
            own_id, subject, self._issuer_label, email(token.claims), expires_at, token.key_id
        )

    def _require_secret_profile(self, token: UnverifiedToken) -> None:
        """Rules 8 and 9; issuer and audience may be absent, but where nothing is configured no other value is right."""
        if not self._secrets:
            raise TokenRefused(Reason.HS256_OFF)
        issuers = self._issuers if "iss" in token.claims else None
        audiences = self._audiences if "aud" in token.claims else None
        self._authenticate(token, self._secrets, _Expected(issuers, audiences, required=[]))
        require_no_mail_link_or_cookie(token.claims)

    async def _require_published_profile(self, token: UnverifiedToken) -> None:
        """Rules 4, 7 and 11."""
        if not self._has_keys:
            raise TokenRefused(Reason.PUBLISHED_KEYS_OFF)
        key = await self._published_key(token)
        self._authenticate(token, [key], _Expected(self._issuers, self._audiences, LOGIN_CLAIMS))
        require_no_oauth_token(token.claims)

    async def _published_key(self, token: UnverifiedToken) -> PublicKey:
        """Return the key that the token names, or the only one it can mean (rule 11), if they agree (rule 4)."""
        if token.key_id is None:
            keys = await self._keys.key_set()
            fitting = keys.fitting(token.algorithm)
            if len(fitting) != 1:
                raise TokenRefused(Reason.KEY_NOT_NAMED)
            return fitting[0].public_key
        key = self._keys.cached_key(token.key_id)
        if key is None:
            key = await self._missing_key(token, token.key_id)
        if token.algorithm not in key.algorithms:
            raise TokenRefused(Reason.KEY_DISAGREES)
        return key.public_key

    async def _missing_key(self, token: UnverifiedToken, key_id: str) -> VerifyingKey:
        """Return a key that is not known yet; no fetch is spent on a token that no key could make good."""
        self._require_claims_of_a_login(token)
        now = self._clock()
        require_times(token.claims, now)
        require_subject(token.claims)
        digest = sha256(token.text.encode()).digest()
        key = await self._keys.key(key_id, digest, now - issued_at(token.claims))
        if key is None:
            raise TokenRefused(Reason.UNKNOWN_KEY)
        return key

    def _require_claims_of_a_login(self, token: UnverifiedToken) -> None:
        """Rule 7 for claims that nobody has verified yet."""
        options: Options = {**_CHECKED_IN_CLAIMS, **_UNVERIFIED, "require": LOGIN_CLAIMS}
        try:
            jwt.decode(token.text, issuer=self._issuers, audience=self._audiences, options=options)
        except InvalidTokenError as error:
            raise TokenRefused(_reason(error)) from None
        require_no_oauth_token(token.claims)

    def _authenticate(
        self, token: UnverifiedToken, keys: Iterable[PublicKey | bytes], expected: _Expected
    ) -> None:
        """Let PyJWT check signature, issuer and audience (rule 15), by each secret or the one key (rule 9)."""
        for key in keys:
            self.signatures_checked += 1
            try:
                jwt.decode(
                    token.text,
                    key,
                    algorithms=[token.algorithm],
                    issuer=expected.issuers,
                    audience=expected.audiences,
                    options={**_CHECKED_IN_CLAIMS, "require": expected.required},
                )
            except InvalidSignatureError:
                continue
            except InvalidTokenError as error:
                raise TokenRefused(_reason(error)) from None
            return
        raise TokenRefused(Reason.WRONG_SIGNATURE)


def _reason(error: InvalidTokenError) -> Reason:
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
