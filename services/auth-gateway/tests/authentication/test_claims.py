"""Rules 5 to 8: the claims of a token with a valid signature."""

from collections.abc import Callable
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from auth_gateway.authentication import Reason, Verifier
from auth_gateway.authentication.keys import KeyCache

from ..support.helpers import Clock, MakeSettings, rejection_reason
from ..support.token_factory import (
    EDDSA,
    HS256,
    ISSUER,
    LOGIN,
    MINTED,
    NOW,
    PUBLISHED,
    USER,
    Json,
    Signer,
    json_bytes,
    login,
    login_with,
    minted,
    minted_with,
    with_changes,
)

MakeToken = Callable[[Json], bytes]

both_profiles = pytest.mark.parametrize("make_token", [login_with, minted_with])


@pytest.mark.parametrize("signer", PUBLISHED, ids=lambda signer: signer.algorithm)
async def test_logins_of_better_auth_are_accepted(verifier: Verifier, signer: Signer) -> None:
    identity = await verifier.verify(login(signer))

    assert identity.user_id == UUID(USER)
    assert (identity.subject, identity.issuer_label, identity.email) == (
        USER,
        "better-auth",
        "ada@example.com",
    )
    assert (identity.expires_at, identity.key_id) == (NOW + 900, signer.key_id)


@both_profiles
async def test_a_token_must_expire(verifier: Verifier, make_token: MakeToken) -> None:
    assert await rejection_reason(verifier, make_token({"exp": ...})) is Reason.NO_EXPIRY


@both_profiles
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", [True, False, str(NOW), "١٨٠٠٠٠٠٩٠٠", [NOW], {}, -1, 10**11 + 1, NOW * 1000, 10**400]
)
async def test_times_are_plain_numbers_of_seconds(
    verifier: Verifier, make_token: MakeToken, name: str, value: object
) -> None:
    assert await rejection_reason(verifier, make_token({name: value})) is Reason.NOT_A_TIME


async def test_an_infinite_number_is_no_time(verifier: Verifier) -> None:
    for number in (b"1e999", b"-1e999", b"1" * 900):
        payload = json_bytes(MINTED).replace(str(NOW + 900).encode(), number)

        assert (
            await rejection_reason(verifier, HS256.sign(json_bytes({"alg": "HS256"}), payload))
            is Reason.NOT_A_TIME
        )


@both_profiles
async def test_times_may_have_fractions(verifier: Verifier, make_token: MakeToken) -> None:
    assert (
        await rejection_reason(
            verifier, make_token({"exp": NOW + 0.5, "iat": NOW - 0.5, "nbf": NOW + 29.5})
        )
        is None
    )


@both_profiles
async def test_times_reach_from_the_epoch_to_the_year_5138(
    verifier: Verifier, make_token: MakeToken
) -> None:
    assert await rejection_reason(verifier, make_token({"exp": 10**11, "iat": 0, "nbf": 0})) is None


@both_profiles
async def test_a_token_expires_after_its_leeway(
    verifier: Verifier, clock: Clock, make_token: MakeToken
) -> None:
    token = make_token({"exp": NOW + 10})

    clock.now = NOW + 39.9
    assert await rejection_reason(verifier, token) is None
    clock.now = NOW + 40
    assert await rejection_reason(verifier, token) is Reason.EXPIRED


@both_profiles
@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_from_the_future_is_rejected(
    verifier: Verifier, make_token: MakeToken, name: str
) -> None:
    assert await rejection_reason(verifier, make_token({name: NOW + 30})) is None
    assert await rejection_reason(verifier, make_token({name: NOW + 31})) is Reason.NOT_YET_VALID


@both_profiles
async def test_a_token_without_a_subject_is_rejected(
    verifier: Verifier, make_token: MakeToken
) -> None:
    other_claims = {
        "userId": USER,
        "user_id": USER,
        "id": USER,
        "email": "ada@example.com",
        "uid": USER,
    }

    without_subject = make_token(with_changes(other_claims, {"sub": ...}))
    assert await rejection_reason(verifier, without_subject) is Reason.NO_SUBJECT
    null_subject = make_token(with_changes(other_claims, {"sub": None}))
    assert await rejection_reason(verifier, null_subject) is Reason.NO_SUBJECT


@both_profiles
@pytest.mark.parametrize(
    "subject",
    [
        "",
        " ",
        "a b",
        "a\n",
        "\n",
        "a\0",
        "a\tb",
        "a\x7f",
        "ädä",
        "a\u2028",
        "٣",
        "a" * 256,
        5,
        True,
        [USER],
        {"id": USER},
        "\ud800",
    ],
)
async def test_an_invalid_subject_is_rejected(
    verifier: Verifier, make_token: MakeToken, subject: object
) -> None:
    assert await rejection_reason(verifier, make_token({"sub": subject})) is Reason.STRANGE_SUBJECT


@pytest.mark.parametrize(
    "subject",
    [
        "a",
        "~" * 255,
        "google|123",
        "a+b@c.de",
        "user/1",
        "YWRh==",
        "KxP3m0sUzq7vVw2yT9bLc4dE8fGh1iJk",
        "".join(map(chr, range(0x21, 0x7F))),
    ],
)
async def test_any_subject_of_visible_ascii_is_accepted(verifier: Verifier, subject: str) -> None:
    namespace = uuid5(NAMESPACE_URL, "urn:better-auth-issuer:better-auth")

    assert (await verifier.verify(minted(sub=subject))).user_id == uuid5(namespace, subject)


@pytest.mark.parametrize("spelling", [USER.upper(), USER.replace("-", ""), f"urn:uuid:{USER}"])
async def test_only_a_canonical_uuid_is_the_user_id_itself(
    verifier: Verifier, spelling: str
) -> None:
    assert (await verifier.verify(minted(sub=USER))).user_id == UUID(USER)
    assert (await verifier.verify(minted(sub=spelling))).user_id != UUID(USER)


async def test_another_issuer_label_makes_other_users(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock
) -> None:
    verifier = Verifier(make_settings(issuer_label="staging"), key_cache, clock)

    identity = await verifier.verify(minted(sub="ada"))

    assert identity.issuer_label == "staging"
    assert identity.user_id == uuid5(uuid5(NAMESPACE_URL, "urn:better-auth-issuer:staging"), "ada")


@pytest.mark.parametrize(
    "email", [None, 5, "", "ada", "a@b\n", "a@b\ud800", "a@" + "b" * 319, ["a@b.c"]]
)
async def test_an_implausible_email_is_ignored(verifier: Verifier, email: object) -> None:
    assert (await verifier.verify(minted(email=email))).email is None


async def test_the_longest_email_is_kept(verifier: Verifier) -> None:
    longest = "a@" + "b" * 318

    assert (await verifier.verify(minted(email=longest))).email == longest


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("iss", Reason.MISSING_CLAIM),
        ("aud", Reason.MISSING_CLAIM),
        ("iat", Reason.MISSING_CLAIM),
        ("exp", Reason.NO_EXPIRY),
        ("sub", Reason.NO_SUBJECT),
    ],
)
async def test_a_token_of_a_published_key_needs_all_login_claims(
    verifier: Verifier, name: str, reason: Reason
) -> None:
    assert await rejection_reason(verifier, login_with({name: ...})) is reason
    assert await rejection_reason(verifier, login_with({name: None})) in (reason, Reason.NOT_A_TIME)


WRONG_ISSUERS = [
    "",
    "https://evil.example",
    ISSUER + "/",
    ISSUER.upper(),
    ISSUER + "\0",
    5,
    True,
    [ISSUER],
    {ISSUER: 1},
]
WRONG_AUDIENCES = [
    "https://evil.example",
    ISSUER + "/",
    5,
    {ISSUER: 1},
    ["other"],
    [ISSUER, 5],
    [[ISSUER]],
    [None],
]


@both_profiles
@pytest.mark.parametrize("issuer", WRONG_ISSUERS)
async def test_another_issuer_is_rejected(
    verifier: Verifier, make_token: MakeToken, issuer: object
) -> None:
    assert await rejection_reason(verifier, make_token({"iss": issuer})) is Reason.WRONG_ISSUER


@both_profiles
@pytest.mark.parametrize("audience", WRONG_AUDIENCES)
async def test_another_audience_is_rejected(
    verifier: Verifier, make_token: MakeToken, audience: object
) -> None:
    assert await rejection_reason(verifier, make_token({"aud": audience})) is Reason.WRONG_AUDIENCE


@both_profiles
@pytest.mark.parametrize("audience", ["", [], None, False])
async def test_an_empty_audience_is_rejected(
    verifier: Verifier, make_token: MakeToken, audience: object
) -> None:
    assert await rejection_reason(verifier, make_token({"aud": audience})) is Reason.MISSING_CLAIM


@both_profiles
@pytest.mark.parametrize("audience", [ISSUER, [ISSUER], ["other", ISSUER]])
async def test_our_audience_may_be_one_of_several(
    verifier: Verifier, make_token: MakeToken, audience: object
) -> None:
    assert await rejection_reason(verifier, make_token({"iss": ISSUER, "aud": audience})) is None


@both_profiles
async def test_any_of_the_configured_issuers_and_audiences_will_do(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock, make_token: MakeToken
) -> None:
    settings = make_settings(
        better_auth_issuers="https://a.example,https://b.example", better_auth_audiences="api, web"
    )
    verifier = Verifier(settings, key_cache, clock)

    assert (
        await rejection_reason(verifier, make_token({"iss": "https://b.example", "aud": "web"}))
        is None
    )
    assert (
        await rejection_reason(verifier, make_token({"iss": ISSUER, "aud": "web"}))
        is Reason.WRONG_ISSUER
    )
    assert (
        await rejection_reason(verifier, make_token({"iss": "https://a.example", "aud": ISSUER}))
        is Reason.WRONG_AUDIENCE
    )


async def test_with_a_secret_only_no_issuer_and_no_audience_is_accepted(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock
) -> None:
    verifier = Verifier(make_settings(better_auth_url=None), key_cache, clock)

    assert await rejection_reason(verifier, minted()) is None
    assert await rejection_reason(verifier, minted(iss=ISSUER)) is Reason.WRONG_ISSUER
    assert await rejection_reason(verifier, minted(aud=ISSUER)) is Reason.WRONG_AUDIENCE


@pytest.mark.parametrize("name", ["client_id", "azp", "at_hash", "nonce", "events", "scope"])
@pytest.mark.parametrize("value", [None, "", "openid"])
async def test_oauth_tokens_are_for_other_applications(
    verifier: Verifier, name: str, value: object
) -> None:
    assert await rejection_reason(verifier, login_with({name: value})) is Reason.OAUTH
    assert await rejection_reason(verifier, minted_with({name: value})) is None


@pytest.mark.parametrize(
    "changes",
    [{"updateTo": "b@c.de"}, {"requestType": "change-email-verification"}, {"updateTo": None}],
)
async def test_mail_links_are_no_logins_even_with_a_subject(
    verifier: Verifier, changes: dict[str, object]
) -> None:
    assert await rejection_reason(verifier, minted_with(changes)) is Reason.MAIL_LINK


async def test_old_mail_links_are_no_logins(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock
) -> None:
    """Better Auth 1.0 wrote issuer and subject into its links; either of them identifies a link."""
    verifier = Verifier(make_settings(better_auth_issuers="better-auth"), key_cache, clock)

    assert await rejection_reason(verifier, minted(sub="verify-email")) is Reason.MAIL_LINK
    assert await rejection_reason(verifier, minted(iss="better-auth")) is Reason.MAIL_LINK


async def test_a_session_cookie_is_no_login_even_with_a_subject(verifier: Verifier) -> None:
    assert (
        await rejection_reason(verifier, minted(session={"token": "x"}, user={"id": USER}))
        is Reason.SESSION_COOKIE
    )
    assert (
        await rejection_reason(verifier, HS256.token({"session": {}, "user": {}}))
        is Reason.SESSION_COOKIE
    )
    assert await rejection_reason(verifier, minted(user={"id": USER})) is None
    assert await rejection_reason(verifier, minted(session={"id": "s1"})) is None


async def test_the_signature_is_checked_before_the_claims(verifier: Verifier) -> None:
    forged = login(Signer("EdDSA", EDDSA.key, "key-es256"), exp=1)
    content, _, _ = login(exp=1).rpartition(b".")
    _, _, other_signature = EDDSA.token(LOGIN).rpartition(b".")
    with_other_signature = content + b"." + other_signature

    assert await rejection_reason(verifier, forged) is Reason.KEY_DISAGREES
    assert await rejection_reason(verifier, with_other_signature) is Reason.WRONG_SIGNATURE
