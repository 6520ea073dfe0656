"""What an operator can tell the gateway. A secret never shows in a message, a representation or a log."""

import base64
import re
from ipaddress import ip_address
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError
from pydantic import (
    AfterValidator,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)

from common.settings import CommaSeparated, Settings

SECRET_MIN_BYTES: Final = 32
"""A shorter secret can be guessed. Source: RFC 7518, 3.2."""

PUBLIC_DEFAULT: Final = "better-auth-secret-12345678901234567890"
"""What Better Auth signs with when nobody told it a secret: known to everybody, so refused."""

BETTER_AUTH_PATH: Final = "/api/auth"
"""Where Better Auth lives below its URL."""

_URL: Final = TypeAdapter(HttpUrl)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def origin(url: str) -> str:
    """Return a URL's origin as a browser and Better Auth spell it: lower case, no default port, no path.

    Source: WHATWG URL, 4.7.
    """
    parsed = _URL.validate_python(url)
    default_port = {"http": 80, "https": 443}[parsed.scheme]
    return f"{parsed.scheme}://{parsed.host}" + (
        f":{parsed.port}" if parsed.port != default_port else ""
    )


def _address(text: str) -> str:
    parsed = _URL.validate_python(text)
    if parsed.username or parsed.password or parsed.query or parsed.fragment:
        raise ValueError("must be an http or https address without user, query and fragment")
    return text.rstrip("/")


def _origins(texts: tuple[str, ...]) -> tuple[str, ...]:
    if any(text == "*" or text != origin(text) for text in texts):
        raise ValueError(
            "must be origins such as https://app.example.com: no path, no closing slash, no asterisk"
        )
    return texts


Address = Annotated[str, AfterValidator(_address)]
"""An http or https URL, kept without a closing slash."""


def _header_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_HEADER_NAME.fullmatch(text) for text in texts):
        raise ValueError(
            "must be names of headers such as X-Client-Version: letters, digits and hyphens"
        )
    return texts


HeaderNames = Annotated[CommaSeparated, AfterValidator(_header_names)]
"""Names of headers that may reach a service: one with any other character never does."""

Origins = Annotated[CommaSeparated, AfterValidator(_origins)]
"""What browsers call an origin, any number of them."""


class TokenSettings(Settings):
    """Whose tokens are good; at least a secret or the URL of a Better Auth server is needed."""

    dangerously_allow_weak_secret: bool = False
    """Accept secrets that are short or publicly known. Whoever knows the secret can be every user."""

    better_auth_secret: SecretStr | None = None
    """The secret of HS256 tokens, at least 32 bytes; its UTF-8 bytes are the key. Without a secret they are refused."""

    better_auth_secrets: SecretStr | None = None
    """Several secrets for a rotation, the current one first: `2:new,1:old`. They come before `BETTER_AUTH_SECRET`."""

    allow_insecure_jwks_url: bool = False
    """Fetch keys over http from another machine. Whoever sits on the way can be every user."""

    better_auth_jwks_url: Address | None = None
    """Where this process fetches Better Auth's keys; default `<BETTER_AUTH_URL>/api/auth/jwks`."""

    better_auth_url: Address | None = Field(default=None, validate_default=True)
    """Better Auth's public URL. Its origin is the default issuer and audience. Unset, only HS256 counts."""

    better_auth_issuers: CommaSeparated = Field(default=(), validate_default=True)
    """Accepted `iss` values, compared exactly; default: the origin of `BETTER_AUTH_URL`."""

    better_auth_audiences: CommaSeparated = Field(default=(), validate_default=True)
    """Accepted `aud` values, compared exactly; default: the origin of `BETTER_AUTH_URL`."""

    issuer_label: str = Field(default="better-auth", pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    """Names the issuer in user ids and profiles. Changing it makes a new user of everybody whose id is no UUID."""

    keys_max_age_seconds: float = Field(default=300, gt=0, allow_inf_nan=False)
    """How long a fetched key set is used before it is fetched again."""

    keys_fetch_seconds: float = Field(default=10, ge=1, le=60, allow_inf_nan=False)
    """How long one fetch of the keys may take. Requests wait 1.5 s for it at most; it goes on without them."""

    @field_validator("better_auth_secret", "better_auth_secrets")
    @classmethod
    def _must_be_strong(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        for secret in _split_secrets(given, several=info.field_name == "better_auth_secrets"):
            _require_strong(
                secret, allow_weak=info.data.get("dangerously_allow_weak_secret", False)
            )
        return given

    @field_validator("better_auth_jwks_url", "better_auth_url")
    @classmethod
    def _must_be_safe_to_fetch_from(cls, given: str | None, info: ValidationInfo) -> str | None:
        if (
            given is None
            or info.data.get("better_auth_jwks_url")
            or info.data.get("allow_insecure_jwks_url")
        ):
            return given
        url = _URL.validate_python(given)
        if url.scheme == "http" and not _is_loopback(url.host or ""):
            raise ValueError("must be https, or ALLOW_INSECURE_JWKS_URL must be set")
        return given

    @field_validator("better_auth_url")
    @classmethod
    def _must_not_be_the_last_to_be_missing(
        cls, given: str | None, info: ValidationInfo
    ) -> str | None:
        others = ("better_auth_secret", "better_auth_secrets", "better_auth_jwks_url")
        if given is None and all(name in info.data and info.data[name] is None for name in others):
            raise ValueError("this or BETTER_AUTH_SECRET is needed, or no token could be accepted")
        return given

    @field_validator("better_auth_issuers", "better_auth_audiences")
    @classmethod
    def _default_to_the_origin(
        cls, given: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        url: str | None = info.data.get("better_auth_url")
        if not given and not url and info.data.get("better_auth_jwks_url"):
            raise ValueError("is needed where BETTER_AUTH_URL is not set")
        return given or ((origin(url),) if url else ())

    @property
    def secrets(self) -> list[bytes]:
        """The keys of HS256 tokens, the current one first."""
        several = _split_secrets(self.better_auth_secrets, several=True)
        return [
            secret.encode()
            for secret in [*several, *_split_secrets(self.better_auth_secret, several=False)]
        ]

    @property
    def keys_address(self) -> str | None:
        """Where the published keys are; a URL that already names Better Auth's own path is not given it twice."""
        if self.better_auth_jwks_url or not self.better_auth_url:
            return self.better_auth_jwks_url
        return f"{self.better_auth_url.removesuffix(BETTER_AUTH_PATH)}{BETTER_AUTH_PATH}/jwks"


class GatewaySettings(TokenSettings):
    """All that the gateway can be told."""

    mode: Literal["proxy", "forward-auth"] = "proxy"
    """`proxy` hands requests on to the services; `forward-auth` answers an edge that does so and asks at `/decide`."""

    explain_refusals: bool = False
    """Tell clients why a token is refused. For development."""

    passport_private_key: SecretStr
    """Signs passports: base64url of 32 random bytes, the same in all replicas."""

    tasks_url: Address
    """Where the gateway finds the tasks service."""

    users_url: Address
    """Where the gateway finds the users service."""

    cors_origins: Origins = ()
    """Origins of the front ends that browsers may call from."""

    cors_request_headers: HeaderNames = ()
    """Request headers that these front ends may send besides those that are always allowed."""

    @field_validator("passport_private_key")
    @classmethod
    def _must_be_ed25519(cls, given: SecretStr) -> SecretStr:
        _private_key(given)
        return given

    @property
    def passport_key(self) -> Ed25519PrivateKey:
        """The key that signs passports."""
        return _private_key(self.passport_private_key)


def _split_secrets(given: SecretStr | None, *, several: bool) -> list[str]:
    """Take a secret as it stands, or each of `2:new,1:old`."""
    if given is None:
        return []
    if not several:
        return [given.get_secret_value()]
    entries = [entry.partition(":") for entry in given.get_secret_value().split(",")]
    if not all(
        version.strip().isdecimal() and secret == secret.strip() for version, _, secret in entries
    ):
        raise ValueError("must look like 2:new,1:old, without white space around a secret")
    return [secret for _, _, secret in entries]


def _require_strong(secret: str, *, allow_weak: bool) -> None:
    try:
        key = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except (InvalidKeyError, UnicodeEncodeError):
        raise ValueError(
            "must be text in UTF-8, not empty, and not a key in PEM, SSH, DER or JWK form"
        ) from None
    if not allow_weak and len(key) < SECRET_MIN_BYTES:
        raise ValueError(f"must have at least {SECRET_MIN_BYTES} bytes")
    if not allow_weak and secret == PUBLIC_DEFAULT:
        raise ValueError("must not be the default that Better Auth publishes")


def _private_key(text: SecretStr) -> Ed25519PrivateKey:
    unpadded = text.get_secret_value().rstrip("=")
    try:
        return Ed25519PrivateKey.from_private_bytes(
            base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), altchars=b"-_", validate=True)
        )
    except ValueError:
        raise ValueError("must be base64url of 32 bytes") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
