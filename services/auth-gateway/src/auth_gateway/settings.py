"""Settings of the gateway. Secrets never appear in a message, a representation or a log."""

import base64
import re
from ipaddress import ip_address
from pathlib import Path
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

BETTER_AUTH_DEFAULT: Final = "better-auth-secret-12345678901234567890"
"""The secret of a Better Auth server without a configured one: publicly known, so rejected."""

BETTER_AUTH_PATH: Final = "/api/auth"
"""Better Auth's path below its URL."""

APP_INDEX: Final = "index.html"
"""The page of the app in its folder."""

_URL: Final = TypeAdapter(HttpUrl)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def origin(url: str) -> str:
    """Return a URL's origin as browsers and Better Auth spell it.

    Lower case, no default port, no path. Source: WHATWG URL, 4.7.
    """
    parsed = _URL.validate_python(url)
    if parsed.port == _DEFAULT_PORTS[parsed.scheme]:
        return f"{parsed.scheme}://{parsed.host}"
    return f"{parsed.scheme}://{parsed.host}:{parsed.port}"


def _require_plain_url(text: str) -> str:
    parsed = _URL.validate_python(text)
    if parsed.username or parsed.password or parsed.query or parsed.fragment:
        raise ValueError("must be an http or https URL without user, query and fragment")
    return text.rstrip("/")


def _require_no_path(text: str) -> str:
    if _URL.validate_python(text).path != "/":
        raise ValueError("must be the URL of a server such as http://127.0.0.1:3000: no path")
    return text


def _require_build(folder: Path) -> Path:
    if not (folder / APP_INDEX).is_file():
        raise ValueError(f"must be the folder of a built app: {folder} has no {APP_INDEX}")
    return folder


def _require_origins(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if text == "*" or text != origin(text):
            raise ValueError(
                "must be origins such as https://app.example.com: no path, no closing slash, "
                "no asterisk"
            )
    return texts


def _require_header_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not _HEADER_NAME.fullmatch(text):
            raise ValueError(
                "must be names of headers such as X-Client-Version: letters, digits and hyphens"
            )
    return texts


PlainUrl = Annotated[str, AfterValidator(_require_plain_url)]
"""An http or https URL, stored without a closing slash."""

ServerUrl = Annotated[PlainUrl, AfterValidator(_require_no_path)]
"""A URL without a path, as the edge needs it too."""

BuildFolder = Annotated[Path, AfterValidator(_require_build)]
"""A folder that contains a built app."""

Origins = Annotated[CommaSeparated, AfterValidator(_require_origins)]
"""Any number of origins as browsers spell them."""

HeaderNames = Annotated[CommaSeparated, AfterValidator(_require_header_names)]
"""Names of headers that the proxy forwards: it drops a name with any other character."""


class TokenSettings(Settings):
    """The accepted tokens. Needs at least a secret or the URL of a Better Auth server."""

    dangerously_allow_weak_secret: bool = False
    """Accept secrets that are short or publicly known. Who knows the secret can be every user."""

    better_auth_secret: SecretStr | None = None
    """The secret of HS256 tokens, at least 32 bytes; its UTF-8 bytes are the key.

    Without a secret these tokens are rejected.
    """

    better_auth_secrets: SecretStr | None = None
    """Several secrets for a rotation, the current one first: `2:new,1:old`.

    They are tried before `BETTER_AUTH_SECRET`.
    """

    allow_insecure_jwks_url: bool = False
    """Fetch keys over http from another machine. Who controls the network can be every user."""

    better_auth_jwks_url: PlainUrl | None = None
    """Where this process fetches Better Auth's keys; default `<BETTER_AUTH_URL>/api/auth/jwks`."""

    better_auth_url: PlainUrl | None = Field(default=None, validate_default=True)
    """Better Auth's public URL. Its origin is the default issuer and audience.

    Unset, only HS256 tokens are accepted.
    """

    better_auth_issuers: CommaSeparated = Field(default=(), validate_default=True)
    """Accepted `iss` values, compared exactly; default: the origin of `BETTER_AUTH_URL`."""

    better_auth_audiences: CommaSeparated = Field(default=(), validate_default=True)
    """Accepted `aud` values, compared exactly; default: the origin of `BETTER_AUTH_URL`."""

    issuer_label: str = Field(default="better-auth", pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    """Names the issuer in user ids and profiles.

    Changing it makes a new user of every user whose id at Better Auth is no UUID.
    """

    keys_max_age_seconds: float = Field(default=300, gt=0, allow_inf_nan=False)
    """How long a fetched key set is used before it is fetched again."""

    keys_fetch_seconds: float = Field(default=10, ge=1, le=60, allow_inf_nan=False)
    """The longest fetch of the keys. Requests wait at most 1.5 s for it."""

    @field_validator("better_auth_secret", "better_auth_secrets")
    @classmethod
    def _require_strong_secrets(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        is_rotation = info.field_name == "better_auth_secrets"
        secrets = _parse_secret_rotation(value) if is_rotation else _parse_secret(value)
        # Missing if it is invalid itself.
        allow_weak = info.data.get("dangerously_allow_weak_secret", False)
        for secret in secrets:
            _require_strong(secret, allow_weak=allow_weak)
        return value

    @field_validator("better_auth_jwks_url", "better_auth_url")
    @classmethod
    def _require_safe_jwks_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        is_keys_url_set = bool(info.data.get("better_auth_jwks_url"))
        is_http_allowed = bool(info.data.get("allow_insecure_jwks_url"))
        if value is None or is_keys_url_set or is_http_allowed:
            return value
        url = _URL.validate_python(value)
        if url.scheme == "http" and not _is_loopback(url.host or ""):
            raise ValueError("must be https, or ALLOW_INSECURE_JWKS_URL must be set")
        return value

    @field_validator("better_auth_url")
    @classmethod
    def _require_url_or_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            return value
        for name in ("better_auth_secret", "better_auth_secrets", "better_auth_jwks_url"):
            # A field that is missing here is set, but invalid, and reported as such.
            if name not in info.data or info.data[name] is not None:
                return value
        raise ValueError("this or BETTER_AUTH_SECRET is needed, or no token could be accepted")

    @field_validator("better_auth_issuers", "better_auth_audiences")
    @classmethod
    def _default_to_origin(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value:
            return value
        url: str | None = info.data.get("better_auth_url")
        if url:
            return (origin(url),)
        if info.data.get("better_auth_jwks_url"):
            raise ValueError("is needed where BETTER_AUTH_URL is not set")
        return ()

    @property
    def hmac_secrets(self) -> list[bytes]:
        """The keys of HS256 tokens, the current one first."""
        secrets = _parse_secret_rotation(self.better_auth_secrets)
        secrets += _parse_secret(self.better_auth_secret)
        return [secret.encode() for secret in secrets]

    @property
    def jwks_url(self) -> str | None:
        """Where the published keys are fetched, None if only HS256 tokens are accepted."""
        if self.better_auth_jwks_url or not self.better_auth_url:
            return self.better_auth_jwks_url
        base_url = self.better_auth_url.removesuffix(BETTER_AUTH_PATH)
        return f"{base_url}{BETTER_AUTH_PATH}/jwks"


class GatewaySettings(TokenSettings):
    """All settings of the gateway."""

    mode: Literal["proxy", "forward-auth"] = "proxy"
    """`proxy` forwards requests to the services; `forward-auth` serves an edge at `/decide`."""

    explain_refusals: bool = False
    """Tell clients why a token is rejected, and which setting to change. For development."""

    passport_private_key: SecretStr
    """Signs passports: base64url of 32 random bytes, the same in all replicas."""

    tasks_url: PlainUrl
    """Where the gateway reaches the tasks service."""

    users_url: PlainUrl
    """Where the gateway reaches the users service."""

    better_auth_server_url: ServerUrl | None = None
    """Where the proxy reaches the Better Auth server that it shows at `/api/auth/`. Unset: 404."""

    app: Literal["on", "off"] = "on"
    """Whether the app is shown at `/`, if there is one."""

    app_folder: BuildFolder | None = None
    """The built app. Unset: `/` is a page that says how to begin."""

    cors_origins: Origins = ()
    """Origins of the front ends that may use the API from a browser."""

    cors_request_headers: HeaderNames = ()
    """Request headers that these front ends may send besides those that are always allowed."""

    @field_validator("passport_private_key")
    @classmethod
    def _require_ed25519(cls, value: SecretStr) -> SecretStr:
        _parse_private_key(value)
        return value

    @property
    def shown_app_folder(self) -> Path | None:
        """The app that is shown at `/`, None if it is switched off or there is none."""
        if self.app == "off":
            return None
        return self.app_folder

    @property
    def passport_key(self) -> Ed25519PrivateKey:
        """The key that signs passports."""
        return _parse_private_key(self.passport_private_key)


def _parse_secret(setting: SecretStr | None) -> list[str]:
    if setting is None:
        return []
    return [setting.get_secret_value()]


def _parse_secret_rotation(setting: SecretStr | None) -> list[str]:
    """Return the secrets of `2:new,1:old`."""
    if setting is None:
        return []
    secrets: list[str] = []
    for entry in setting.get_secret_value().split(","):
        version, _, secret = entry.partition(":")
        if not version.strip().isdecimal() or secret != secret.strip():
            raise ValueError("must look like 2:new,1:old, without white space around a secret")
        secrets.append(secret)
    return secrets


def _require_strong(secret: str, *, allow_weak: bool) -> None:
    try:
        key = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except (InvalidKeyError, UnicodeEncodeError):
        raise ValueError(
            "must be text in UTF-8, not empty, and not a key in PEM, SSH, DER or JWK form"
        ) from None
    if allow_weak:
        return
    if len(key) < SECRET_MIN_BYTES:
        raise ValueError(f"must have at least {SECRET_MIN_BYTES} bytes")
    if secret == BETTER_AUTH_DEFAULT:
        raise ValueError("must not be the default that Better Auth publishes")


def _parse_private_key(setting: SecretStr) -> Ed25519PrivateKey:
    unpadded = setting.get_secret_value().rstrip("=")
    padding = "=" * (-len(unpadded) % 4)
    try:
        key = base64.b64decode(unpadded + padding, altchars=b"-_", validate=True)
        return Ed25519PrivateKey.from_private_bytes(key)
    except ValueError:
        raise ValueError("must be base64url of 32 bytes") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
