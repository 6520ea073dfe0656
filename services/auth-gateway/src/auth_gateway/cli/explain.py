"""Explain what a token is and why it is rejected: `python -m auth_gateway.cli.explain [TOKEN]`.

Uses the gateway's own settings. Without an argument it reads standard input. It prints neither the
token nor a secret, and of the claims only those that must be compared with a setting.
"""

import asyncio
import sys
import time
from typing import Final

from auth_gateway.authentication import Identity, InvalidToken, Reason, Verifier
from auth_gateway.authentication.classify import classify_token, peek_claims, peek_header
from auth_gateway.authentication.keys import KeyCache, KeySet, KeysUnavailable
from auth_gateway.authentication.parser import get_bearer_token
from auth_gateway.authentication.reasons import RULES
from auth_gateway.settings import TokenSettings
from common.settings import read_settings

NOTHING_GIVEN: Final = "Give the token as an argument or on standard input."
"""The remedy for a missing token in this command."""

CLAIM_MAX_CHARACTERS: Final = 120
"""The longest part of a claim that is printed."""


async def explain(text: bytes, settings: TokenSettings) -> tuple[bool, list[str]]:
    """Explain a token, or a whole `Authorization` header.

    Returns:
        Whether it is accepted now, and the lines to print.
    """
    keys = KeyCache(
        settings.jwks_url,
        max_age_seconds=settings.keys_max_age_seconds,
        fetch_seconds=settings.keys_fetch_seconds,
    )
    async with keys:
        try:
            token = _get_token(text)
            identity = await _verify(token, settings, keys)
        except InvalidToken as error:
            reason = Reason(str(error.reason))
            _, _, token = text.rpartition(b" ")
            return False, _describe_rejection(reason, token, settings, keys.cached_key_set)
        except KeysUnavailable:
            return False, _describe_missing_keys(text, settings, keys)
    return True, _describe_acceptance(token, identity)


def _get_token(text: bytes) -> bytes:
    if text and b" " not in text:
        return text
    return get_bearer_token([(b"authorization", text)])


async def _verify(token: bytes, settings: TokenSettings, keys: KeyCache) -> Identity:
    """Verify a token. Unlike a request, wait for a slow key server as long as a fetch may take."""
    verifier = Verifier(settings, keys)
    try:
        return await verifier.verify(token)
    except KeysUnavailable:
        await keys.wait_for_fetch()
        return await verifier.verify(token)


def _describe_acceptance(token: bytes, identity: Identity) -> list[str]:
    seconds = identity.expires_at - time.time()
    return [
        f"Form:    {classify_token(token)}",
        f"Verdict: accepted for another {seconds:.0f} s as user {identity.user_id}",
    ]


def _describe_missing_keys(text: bytes, settings: TokenSettings, keys: KeyCache) -> list[str]:
    url = settings.jwks_url
    return [
        f"Form:    {classify_token(text)}",
        "Verdict: unknown (503); Better Auth's keys cannot be fetched",
        "Rule:    the published keys can be fetched",
        f"Found:   The key server at {url} {keys.last_error or 'has not responded yet'}.",
        f"Change:  Make {url} respond, or set BETTER_AUTH_JWKS_URL.",
    ]


def _describe_rejection(
    reason: Reason, token: bytes, settings: TokenSettings, key_set: KeySet
) -> list[str]:
    rule, remedy = RULES[reason]
    if reason is Reason.MISSING:
        remedy = NOTHING_GIVEN
    lines = [
        f"Form:    {classify_token(token)}",
        f"Verdict: refused, {reason}",
        f"Rule:    {rule}",
    ]
    lines += _compare_with_expected(reason, token, settings, key_set)
    lines.append(f"Change:  {remedy}")
    return lines


def _compare_with_expected(
    reason: Reason, token: bytes, settings: TokenSettings, key_set: KeySet
) -> list[str]:
    """Show the rejected value of the token beside the settings, or the published keys."""
    if reason is Reason.UNKNOWN_KEY:
        return _compare_key_id(peek_header(token).get("kid"), key_set)
    claims = peek_claims(token)
    if reason is Reason.WRONG_ISSUER:
        return _compare_claim(claims.get("iss"), settings.better_auth_issuers)
    if reason is Reason.WRONG_AUDIENCE:
        return _compare_claim(claims.get("aud"), settings.better_auth_audiences)
    return []


def _compare_key_id(key_id: object, key_set: KeySet) -> list[str]:
    lines = [f"Token:   {_quote(key_id)}", f"Keys:    {_quote(key_set.key_ids)}"]
    if key_set.rejected:
        reasons = "; ".join(key_set.rejected)
        lines.append(f"Unfit:   {reasons[:CLAIM_MAX_CHARACTERS]}")
    return lines


def _compare_claim(claim: object, accepted: tuple[str, ...]) -> list[str]:
    return [f"Token:   {_quote(claim)}", f"Setting: {', '.join(accepted) or 'none'}"]


def _quote(value: object) -> str:
    """Escape and shorten a value of a token, so that it cannot control the terminal."""
    return ascii(value)[:CLAIM_MAX_CHARACTERS]


def main() -> None:
    """Explain one token. The exit code is 0 if it is accepted, otherwise 1."""
    text = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline()
    token = text.strip().encode(errors="replace")
    is_accepted, lines = asyncio.run(explain(token, read_settings(TokenSettings)))
    sys.stdout.write("\n".join(lines) + "\n")
    raise SystemExit(int(not is_accepted))


if __name__ == "__main__":
    main()
