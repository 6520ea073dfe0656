"""Who is calling: the rules that a token must meet, in the order in which they are applied.

1   The profile is decided by the header's `alg` alone: a published key's algorithm, or HS256.    reading
2   At most 8 KiB; three segments of plain base64url in their one spelling.                       reading
3   Header and payload are strict JSON objects; no parameter that changes what is signed or how.  reading
4   Key and token agree about algorithm, type and curve; the key is a good public key.            keys.jwks
5   `exp` is there and not over; times are plain numbers; nothing comes from the future.          claims
6   The identity comes from `sub` and from nowhere else.                                          claims
7   Published keys: our issuer, our audience, all claims of a login and none of an OAuth token.   verifier, claims
8   HS256: issuer and audience right if present; no mail link, no session cookie.                 verifier, claims
9   HS256: every configured secret, the current one first; none that is weak.                     verifier, settings
10  Addresses: issuer, audience and key address follow from Better Auth's URL.                    settings
11  A key is named; a token that names none is good only where one key fits.                      verifier, keys.cache
12  Keys that cannot be had now, or cannot be known, are 503, not 401; HS256 goes on working.     keys.cache
13  One `Authorization: Bearer` header, and nothing else is looked at.                            reading
14  The log gets the verdict, the reason, the key id and a pseudonym; never token or claims.      gatekeeper
15  PyJWT does the cryptography, issuer and audience; everything that it is lenient about, we do. verifier
"""

from auth_gateway.authentication.authenticator import Gatekeeper, Granted
from auth_gateway.authentication.errors import Reason, TokenRefused
from auth_gateway.authentication.verifier import Verifier
from auth_gateway.identity import Identity

__all__ = ["Gatekeeper", "Granted", "Identity", "Reason", "TokenRefused", "Verifier"]
