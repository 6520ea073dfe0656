from collections.abc import AsyncIterator

import pytest

from auth_gateway.authentication import Authenticator, Verifier
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.passport import PassportSigner
from auth_gateway.settings import GatewaySettings

from .support.helpers import Clock, MakeSettings
from .support.key_server import KeyServer
from .support.token_factory import ISSUER, OLD_SECRET, SECRET


@pytest.fixture
def make_settings(monkeypatch: pytest.MonkeyPatch) -> MakeSettings:
    """Read settings from an environment with these changes; None leaves a variable out."""

    def make(**changes: str | None) -> GatewaySettings:
        environment: dict[str, str | None] = {
            "better_auth_secrets": f"2:{SECRET},1:{OLD_SECRET}",
            "better_auth_url": ISSUER,
            "passport_private_key": "A" * 43,
            "tasks_url": "http://127.0.0.1:8001",
            "users_url": "http://127.0.0.1:8002",
        }
        environment.update(changes)
        for name in GatewaySettings.model_fields:
            value = environment.get(name)
            if value is None:
                monkeypatch.delenv(name.upper(), raising=False)
            else:
                monkeypatch.setenv(name.upper(), value)
        return GatewaySettings.model_validate({})

    return make


@pytest.fixture
def settings(make_settings: MakeSettings) -> GatewaySettings:
    return make_settings()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
async def key_server() -> AsyncIterator[KeyServer]:
    """Run a working key server for all tests."""
    async with KeyServer().running() as server:
        yield server


@pytest.fixture(scope="session")
async def key_cache(key_server: KeyServer) -> AsyncIterator[KeyCache]:
    async with KeyCache(key_server.url, max_age_seconds=300) as cache:
        yield cache


@pytest.fixture
def verifier(settings: GatewaySettings, key_cache: KeyCache, clock: Clock) -> Verifier:
    return Verifier(settings, key_cache, clock)


@pytest.fixture
def signer(settings: GatewaySettings, clock: Clock) -> PassportSigner:
    return PassportSigner(settings.passport_key, clock)


@pytest.fixture
def authenticator(
    settings: GatewaySettings, key_cache: KeyCache, signer: PassportSigner, clock: Clock
) -> Authenticator:
    return Authenticator(settings, key_cache, signer, clock)
