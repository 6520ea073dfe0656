"""Tell an operator what a token is, which rule refuses it, and what to change.

`python -m auth_gateway.cli.explain TOKEN`, with the gateway's own settings; without an argument it reads standard input. It
shows neither the token nor a secret, and of the claims only what must be compared with a setting.
"""

import asyncio
import sys
import time
from typing import Final

from auth_gateway.authentication import Identity, Reason, TokenRefused, Verifier
from auth_gateway.authentication.classify import form_of, readable_claims, readable_header
from auth_gateway.authentication.keys import KeyCache, KeySet, KeysUnavailable
from auth_gateway.authentication.parser import bearer_token
from auth_gateway.settings import TokenSettings
from common.settings import load

SHOWN_MAX: Final = 120
"""Characters of a claim that are shown."""

RULES: Final[dict[Reason, tuple[str, str]]] = {
    Reason.MISSING: ("13: there is a token", "Give the token as an argument or on standard input."),
    Reason.NOT_BEARER: ("13: the scheme is Bearer", "Send `Authorization: Bearer <token>`."),
    Reason.SEVERAL_HEADERS: ("13: one Authorization header", "Send the header once."),
    Reason.MALFORMED_HEADER: (
        "13: one token after one space",
        "Send `Authorization: Bearer <token>`, nothing more.",
    ),
    Reason.TOO_LONG: (
        "2: at most 8 KiB",
        "Put less into the token: Better Auth's `definePayload` chooses the claims.",
    ),
    Reason.NOT_A_JWT: (
        "2: three segments of base64url without padding",
        "Send the JWT of `/api/auth/token` or of the header `set-auth-jwt`, not a session token or a cookie.",
    ),
    Reason.NOT_JSON: (
        "3: strict JSON objects",
        "Mint it with a JWT library; names may not repeat.",
    ),
    Reason.HEADER_NOT_ALLOWED: (
        "3: no header that brings keys or changes what is signed",
        "Leave the header out.",
    ),
    Reason.WRONG_TYPE: (
        "3: typ is absent or JWT",
        "This is a token for something else than a login; ask `/api/auth/token` for one.",
    ),
    Reason.WRONG_ALGORITHM: (
        "1: a known algorithm",
        "Sign with EdDSA, ES256, ES512, PS256, RS256 or HS256.",
    ),
    Reason.HS256_OFF: (
        "1: HS256 needs a secret",
        "Set BETTER_AUTH_SECRET to the secret that signs these tokens.",
    ),
    Reason.PUBLISHED_KEYS_OFF: ("1: this algorithm needs published keys", "Set BETTER_AUTH_URL."),
    Reason.KEY_NOT_NAMED: (
        "11: without a key id only one key may fit",
        "Let the issuer write `kid` into the header.",
    ),
    Reason.UNKNOWN_KEY: (
        "11: the key is published and usable",
        "Compare BETTER_AUTH_JWKS_URL with the token's issuer; a removed key needs a new login, a weak one a better.",
    ),
    Reason.KEY_DISAGREES: (
        "4: key and algorithm agree",
        "The issuer signs with another algorithm than it publishes.",
    ),
    Reason.WRONG_SIGNATURE: (
        "9 and 15: the signature is right",
        "Compare BETTER_AUTH_SECRET or BETTER_AUTH_JWKS_URL with what the issuer uses.",
    ),
    Reason.MISSING_CLAIM: (
        "7: iss, aud, iat, exp and sub are there",
        "Let `definePayload` leave them in.",
    ),
    Reason.WRONG_ISSUER: (
        "7 and 8: the issuer is ours",
        "Set BETTER_AUTH_URL or BETTER_AUTH_ISSUERS to it.",
    ),
    Reason.WRONG_AUDIENCE: (
        "7 and 8: it is meant for us",
        "Set BETTER_AUTH_URL or BETTER_AUTH_AUDIENCES to it.",
    ),
    Reason.OAUTH: (
        "7: no token of the OAuth provider",
        "Use a login of Better Auth itself, from `/api/auth/token`.",
    ),
    Reason.MAIL_LINK: (
        "8: no link from a mail",
        "It proves an address, not a login; ask `/api/auth/token`.",
    ),
    Reason.SESSION_COOKIE: (
        "8: no session cookie",
        "Ask `/api/auth/token`; a cookie stays with Better Auth.",
    ),
    Reason.NO_EXPIRY: ("5: exp is there", "Let the issuer set `exp`."),
    Reason.NOT_A_TIME: (
        "5: exp, iat and nbf are numbers of seconds",
        "Mint numbers of seconds, not text or milliseconds.",
    ),
    Reason.EXPIRED: ("5: it is not over", "Ask for a new token, or compare the clocks."),
    Reason.NOT_YET_VALID: ("5: it is not from the future", "Compare the clocks of both machines."),
    Reason.NO_SUBJECT: ("6: sub names the user", "Mint `sub`; no other claim is looked at."),
    Reason.STRANGE_SUBJECT: (
        "6: sub is a text of 1 to 255 visible ASCII characters",
        "Use Better Auth's user id as `sub`: no spaces, no other letters than a to z.",
    ),
}
"""For every reason, the rule in a few words and what to change."""


async def explain(text: bytes, settings: TokenSettings) -> tuple[bool, list[str]]:
    """Return whether a token, or a whole `Authorization` header, is accepted now, and lines that say why."""
    keys = KeyCache(
        settings.keys_address,
        max_age_seconds=settings.keys_max_age_seconds,
        fetch_seconds=settings.keys_fetch_seconds,
    )
    async with keys:
        try:
            token = text if text and b" " not in text else bearer_token([(b"authorization", text)])
            identity = await _verify(token, settings, keys)
        except TokenRefused as refusal:
            return False, _refused(
                Reason(str(refusal.reason)), text.rpartition(b" ")[2], settings, keys.cached
            )
        except KeysUnavailable:
            return False, [
                f"Form:    {form_of(text)}",
                "Verdict: nobody can tell (503); Better Auth's keys cannot be fetched",
                "Rule:    12: the published keys can be had",
                f"Found:   The key server at {settings.keys_address} {keys.failure or 'has not answered yet'}.",
                f"Change:  Make {settings.keys_address} answer, or set BETTER_AUTH_JWKS_URL.",
            ]
    left = identity.expires_at - time.time()
    verdict = f"Verdict: accepted for another {left:.0f} s as user {identity.user_id}"
    return True, [f"Form:    {form_of(token)}", verdict]


async def _verify(token: bytes, settings: TokenSettings, keys: KeyCache) -> Identity:
    """Apply the rules; unlike a request, wait for a slow key server as long as a fetch may take."""
    verifier = Verifier(settings, keys)
    try:
        return await verifier.verify(token)
    except KeysUnavailable:
        await keys.settled()
        return await verifier.verify(token)


def _refused(reason: Reason, token: bytes, settings: TokenSettings, keys: KeySet) -> list[str]:
    rule, change = RULES[reason]
    return [
        f"Form:    {form_of(token)}",
        f"Verdict: refused, {reason}",
        f"Rule:    {rule}",
        *_comparison(reason, token, settings, keys),
        f"Change:  {change}",
    ]


def _comparison(reason: Reason, token: bytes, settings: TokenSettings, keys: KeySet) -> list[str]:
    """Show what the token says beside what the settings say, or the key server."""
    if reason is Reason.UNKNOWN_KEY:
        return _published(readable_header(token).get("kid"), keys)
    claims = readable_claims(token)
    if reason is Reason.WRONG_ISSUER:
        return _beside(claims.get("iss"), settings.better_auth_issuers)
    if reason is Reason.WRONG_AUDIENCE:
        return _beside(claims.get("aud"), settings.better_auth_audiences)
    return []


def _published(key_id: object, keys: KeySet) -> list[str]:
    lines = [f"Token:   {ascii(key_id)[:SHOWN_MAX]}", f"Keys:    {ascii(keys.names)[:SHOWN_MAX]}"]
    if keys.refused:
        lines.append(f"Unfit:   {'; '.join(keys.refused)[:SHOWN_MAX]}")
    return lines


def _beside(found: object, configured: tuple[str, ...]) -> list[str]:
    return [f"Token:   {ascii(found)[:SHOWN_MAX]}", f"Setting: {', '.join(configured) or 'none'}"]


def main() -> None:
    """Explain one token; the exit code is 0 when it is accepted."""
    given = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline()
    text = given.strip().encode(errors="replace")
    accepted, lines = asyncio.run(explain(text, load(TokenSettings)))
    sys.stdout.write("\n".join([*lines, ""]))
    raise SystemExit(0 if accepted else 1)


if __name__ == "__main__":
    main()
