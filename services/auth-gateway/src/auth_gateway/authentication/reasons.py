"""Why a token is rejected: a closed list of reasons, the rule that each breaks, and its remedy.

The log shows the reason. `explain` and, where `EXPLAIN_REFUSALS` is set, problem documents also
show the remedy: one sentence that names the setting to change, if there is one.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Reason(StrEnum):
    """The first rule that a token breaks."""

    MISSING = "missing"
    NOT_BEARER = "not-bearer"
    SEVERAL_HEADERS = "several-headers"
    MALFORMED_HEADER = "malformed-header"
    TOO_LONG = "too-long"
    NOT_A_JWT = "not-a-jwt"
    NOT_JSON = "not-json"
    HEADER_NOT_ALLOWED = "header-not-allowed"
    WRONG_TYPE = "wrong-type"
    WRONG_ALGORITHM = "wrong-algorithm"
    HS256_OFF = "hs256-off"
    PUBLISHED_KEYS_OFF = "published-keys-off"
    KEY_NOT_NAMED = "key-not-named"
    UNKNOWN_KEY = "unknown-key"
    KEY_DISAGREES = "key-disagrees"
    WRONG_SIGNATURE = "wrong-signature"
    MISSING_CLAIM = "missing-claim"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_AUDIENCE = "wrong-audience"
    OAUTH = "oauth-token"
    MAIL_LINK = "mail-link"
    SESSION_COOKIE = "session-cookie"
    NO_EXPIRY = "no-expiry"
    NOT_A_TIME = "not-a-time"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NO_SUBJECT = "no-subject"
    STRANGE_SUBJECT = "strange-subject"


class BrokenRule(NamedTuple):
    """A rule of this package in a few words, and what to change: one sentence."""

    rule: str
    remedy: str


RULES: Final[dict[Reason, BrokenRule]] = {
    Reason.MISSING: BrokenRule(
        "there is a token",
        "Send the header `Authorization: Bearer <token>`; in development `make token` prints one.",
    ),
    Reason.NOT_BEARER: BrokenRule(
        "the scheme is Bearer",
        "Send `Authorization: Bearer <token>`.",
    ),
    Reason.SEVERAL_HEADERS: BrokenRule(
        "one Authorization header",
        "Send the header `Authorization` once.",
    ),
    Reason.MALFORMED_HEADER: BrokenRule(
        "one token after one space",
        "Send `Authorization: Bearer <token>`, nothing more.",
    ),
    Reason.TOO_LONG: BrokenRule(
        "at most 8 KiB",
        "Put less into the token: Better Auth's `definePayload` chooses the claims.",
    ),
    Reason.NOT_A_JWT: BrokenRule(
        "three segments of base64url without padding",
        "Send the JWT of `/api/auth/token` or of the header `set-auth-jwt`, not a session token or "
        "a cookie.",
    ),
    Reason.NOT_JSON: BrokenRule(
        "strict JSON objects",
        "Create the token with a JWT library: header and claims are JSON objects without "
        "repeated names.",
    ),
    Reason.HEADER_NOT_ALLOWED: BrokenRule(
        "no header that brings keys or changes what is signed",
        "Leave out header parameters such as `jku`, `jwk`, `x5c`, `crit` and `zip`.",
    ),
    Reason.WRONG_TYPE: BrokenRule(
        "typ is absent or JWT",
        "This token has another purpose than a login; request one from `/api/auth/token`.",
    ),
    Reason.WRONG_ALGORITHM: BrokenRule(
        "a known algorithm",
        "Sign with EdDSA, ES256, ES512, PS256, RS256 or HS256: Better Auth's jwt plugin has the "
        "option `jwks.keyPairConfig.alg`.",
    ),
    Reason.HS256_OFF: BrokenRule(
        "HS256 needs a secret",
        "Set BETTER_AUTH_SECRET to the secret that signs these tokens.",
    ),
    Reason.PUBLISHED_KEYS_OFF: BrokenRule(
        "this algorithm needs published keys",
        "Set BETTER_AUTH_URL.",
    ),
    Reason.KEY_NOT_NAMED: BrokenRule(
        "without a key id only one key may match",
        "Let the issuer write `kid` into the header.",
    ),
    Reason.UNKNOWN_KEY: BrokenRule(
        "the key is published and usable",
        "Set BETTER_AUTH_JWKS_URL or BETTER_AUTH_URL to the server that issued the token; if it "
        "has withdrawn the key, or the key is weak, it must issue another token.",
    ),
    Reason.KEY_DISAGREES: BrokenRule(
        "key and algorithm agree",
        "Let the issuer publish its keys with the algorithm that it signs with, or set "
        "BETTER_AUTH_JWKS_URL to the issuer's keys.",
    ),
    Reason.WRONG_SIGNATURE: BrokenRule(
        "the signature is right",
        "Set BETTER_AUTH_SECRET to the secret that signs HS256 tokens; for all other algorithms "
        "set BETTER_AUTH_JWKS_URL to the issuer's keys.",
    ),
    Reason.MISSING_CLAIM: BrokenRule(
        "iss, aud, iat, exp and sub are present",
        "Let the issuer put iss, aud, iat, exp and sub into the token, as Better Auth's "
        "`/api/auth/token` does.",
    ),
    Reason.WRONG_ISSUER: BrokenRule(
        "the issuer is ours",
        "Set BETTER_AUTH_URL to Better Auth's `baseURL`, or BETTER_AUTH_ISSUERS to the token's "
        "`iss`.",
    ),
    Reason.WRONG_AUDIENCE: BrokenRule(
        "the audience is ours",
        "Set BETTER_AUTH_URL to Better Auth's `baseURL`, or BETTER_AUTH_AUDIENCES to the "
        "token's `aud`.",
    ),
    Reason.OAUTH: BrokenRule(
        "no token of the OAuth provider",
        "Use a login of Better Auth itself, from `/api/auth/token`.",
    ),
    Reason.MAIL_LINK: BrokenRule(
        "no link from an e-mail",
        "It proves an e-mail address, not a login; request a token from `/api/auth/token`.",
    ),
    Reason.SESSION_COOKIE: BrokenRule(
        "no session cookie",
        "Request a token from `/api/auth/token`; a cookie is for Better Auth only.",
    ),
    Reason.NO_EXPIRY: BrokenRule(
        "exp is present",
        "Let the issuer set `exp`, the second at which the token ends.",
    ),
    Reason.NOT_A_TIME: BrokenRule(
        "exp, iat and nbf are numbers of seconds",
        "Let the issuer set exp, iat and nbf to numbers of seconds, not to text or milliseconds.",
    ),
    Reason.EXPIRED: BrokenRule(
        "it has not expired",
        "Request a new token from `/api/auth/token`; if this one is new, compare the clocks: "
        "Better Auth's tokens end after 15 minutes, unless `jwt.expirationTime` says otherwise.",
    ),
    Reason.NOT_YET_VALID: BrokenRule(
        "it is not from the future",
        "Compare the clocks of the gateway and of the token's issuer.",
    ),
    Reason.NO_SUBJECT: BrokenRule(
        "sub identifies the user",
        "Let the issuer set `sub` to the user's id; no other claim is read.",
    ),
    Reason.STRANGE_SUBJECT: BrokenRule(
        "sub is a text of 1 to 255 visible ASCII characters",
        "Use Better Auth's user id as `sub`: no spaces, no other letters than a to z.",
    ),
}
