"""Authentication of requests: the rules that a token must meet, in the order of their checks.

The last column names the modules that check a rule.

1   The header's `alg` alone selects the profile: published keys, or HS256.            parser
2   At most 8 KiB; three segments of canonical base64url.                              parser
3   Header and payload are strict JSON objects; no header parameter that brings a      parser
    key, or changes what is signed.
4   Key and token agree on algorithm, type and curve; the key is a usable public key.  keys.jwks
5   `exp` is present and not over; times are plain numbers, none is in the future.     claims
6   The identity comes from `sub` and from no other claim.                             claims
7   Published keys: our issuer, our audience, all claims of a login token, none of     verifier,
    an OAuth token.                                                                    claims
8   HS256: issuer and audience are right if present; no e-mail link, no session        verifier,
    cookie.                                                                            claims
9   HS256: all configured secrets are tried, the current one first; none is weak.      verifier,
                                                                                       settings
10  Issuer, audience and URL of the keys follow from Better Auth's URL.                settings
11  The token names its key; without a key id, exactly one key must match.             verifier,
                                                                                       keys.cache
12  Keys that cannot be fetched or known now are 503, not 401; HS256 keeps working.    keys.cache
13  One `Authorization: Bearer` header; nothing else is read.                          parser
14  The log gets the decision, the reason, the key id and a pseudonym; never a token   authenticator
    or claims.
15  PyJWT checks signature, issuer and audience; what it is lenient about is checked   verifier
    here.
"""

from auth_gateway.authentication.authenticator import AuthenticatedUser, Authenticator
from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.reasons import Reason
from auth_gateway.authentication.verifier import Verifier
from auth_gateway.identity import Identity

__all__ = ["AuthenticatedUser", "Authenticator", "Identity", "InvalidToken", "Reason", "Verifier"]
