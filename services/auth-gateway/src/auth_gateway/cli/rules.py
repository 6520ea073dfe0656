"""The texts of `explain`: for every rejection reason, the broken rule and its remedy."""

from typing import Final, NamedTuple

from auth_gateway.authentication import Reason


class BrokenRule(NamedTuple):
    """A rule of `auth_gateway.authentication`, with its number, and what to change."""

    rule: str
    remedy: str


RULES: Final[dict[Reason, BrokenRule]] = {
    Reason.MISSING: BrokenRule(
        "13: there is a token",
        "Give the token as an argument or on standard input.",
    ),
    Reason.NOT_BEARER: BrokenRule(
        "13: the scheme is Bearer",
        "Send `Authorization: Bearer <token>`.",
    ),
    Reason.SEVERAL_HEADERS: BrokenRule(
        "13: one Authorization header",
        "Send the header once.",
    ),
    Reason.MALFORMED_HEADER: BrokenRule(
        "13: one token after one space",
        "Send `Authorization: Bearer <token>`, nothing more.",
    ),
    Reason.TOO_LONG: BrokenRule(
        "2: at most 8 KiB",
        "Put less into the token: Better Auth's `definePayload` chooses the claims.",
    ),
    Reason.NOT_A_JWT: BrokenRule(
        "2: three segments of base64url without padding",
        "Send the JWT of `/api/auth/token` or of the header `set-auth-jwt`, not a session token or "
        "a cookie.",
    ),
    Reason.NOT_JSON: BrokenRule(
        "3: strict JSON objects",
        "Create it with a JWT library; names may not repeat.",
    ),
    Reason.HEADER_NOT_ALLOWED: BrokenRule(
        "3: no header that brings keys or changes what is signed",
        "Leave the header out.",
    ),
    Reason.WRONG_TYPE: BrokenRule(
        "3: typ is absent or JWT",
        "This token has another purpose than a login; request one from `/api/auth/token`.",
    ),
    Reason.WRONG_ALGORITHM: BrokenRule(
        "1: a known algorithm",
        "Sign with EdDSA, ES256, ES512, PS256, RS256 or HS256.",
    ),
    Reason.HS256_OFF: BrokenRule(
        "1: HS256 needs a secret",
        "Set BETTER_AUTH_SECRET to the secret that signs these tokens.",
    ),
    Reason.PUBLISHED_KEYS_OFF: BrokenRule(
        "1: this algorithm needs published keys",
        "Set BETTER_AUTH_URL.",
    ),
    Reason.KEY_NOT_NAMED: BrokenRule(
        "11: without a key id only one key may match",
        "Let the issuer write `kid` into the header.",
    ),
    Reason.UNKNOWN_KEY: BrokenRule(
        "11: the key is published and usable",
        "Compare BETTER_AUTH_JWKS_URL with the token's issuer; a removed key needs a new login, a "
        "weak one a better key.",
    ),
    Reason.KEY_DISAGREES: BrokenRule(
        "4: key and algorithm agree",
        "The issuer signs with another algorithm than it publishes.",
    ),
    Reason.WRONG_SIGNATURE: BrokenRule(
        "9 and 15: the signature is right",
        "Compare BETTER_AUTH_SECRET or BETTER_AUTH_JWKS_URL with what the issuer uses.",
    ),
    Reason.MISSING_CLAIM: BrokenRule(
        "7: iss, aud, iat, exp and sub are present",
        "Let `definePayload` keep them.",
    ),
    Reason.WRONG_ISSUER: BrokenRule(
        "7 and 8: the issuer is ours",
        "Set BETTER_AUTH_URL or BETTER_AUTH_ISSUERS to it.",
    ),
    Reason.WRONG_AUDIENCE: BrokenRule(
        "7 and 8: the audience is ours",
        "Set BETTER_AUTH_URL or BETTER_AUTH_AUDIENCES to it.",
    ),
    Reason.OAUTH: BrokenRule(
        "7: no token of the OAuth provider",
        "Use a login of Better Auth itself, from `/api/auth/token`.",
    ),
    Reason.MAIL_LINK: BrokenRule(
        "8: no link from an e-mail",
        "It proves an e-mail address, not a login; request a token from `/api/auth/token`.",
    ),
    Reason.SESSION_COOKIE: BrokenRule(
        "8: no session cookie",
        "Request a token from `/api/auth/token`; a cookie is for Better Auth only.",
    ),
    Reason.NO_EXPIRY: BrokenRule(
        "5: exp is present",
        "Let the issuer set `exp`.",
    ),
    Reason.NOT_A_TIME: BrokenRule(
        "5: exp, iat and nbf are numbers of seconds",
        "Set them to numbers of seconds, not text or milliseconds.",
    ),
    Reason.EXPIRED: BrokenRule(
        "5: it has not expired",
        "Request a new token, or compare the clocks.",
    ),
    Reason.NOT_YET_VALID: BrokenRule(
        "5: it is not from the future",
        "Compare the clocks of both machines.",
    ),
    Reason.NO_SUBJECT: BrokenRule(
        "6: sub identifies the user",
        "Set `sub`; no other claim is read.",
    ),
    Reason.STRANGE_SUBJECT: BrokenRule(
        "6: sub is a text of 1 to 255 visible ASCII characters",
        "Use Better Auth's user id as `sub`: no spaces, no other letters than a to z.",
    ),
}
