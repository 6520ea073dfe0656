"""What Prometheus learns about the keys."""

import math

from prometheus_client import REGISTRY

from auth_gateway.authentication.keys import KeyCache

from ...support.helpers import Clock
from ...support.key_server import KeyServer, close_without_response

AGE = "key_set_age_seconds"


async def test_the_maximum_age_is_a_metric() -> None:
    """An alert compares the age with it."""
    async with KeyCache("http://127.0.0.1:1", max_age_seconds=77):
        assert REGISTRY.get_sample_value("key_set_max_age_seconds") == 77


async def test_unused_keys_grow_no_older_than_they_may(server: KeyServer, clock: Clock) -> None:
    async with KeyCache(server.url, max_age_seconds=300, clock=clock) as cache:
        await server.requested.wait()
        await cache.key_set()
        clock.now += 7

        assert REGISTRY.get_sample_value(AGE) == 7

        clock.now += 3_600

        assert REGISTRY.get_sample_value(AGE) == 300


async def test_keys_that_were_never_fetched_are_infinitely_old(server: KeyServer) -> None:
    server.respond = close_without_response
    async with KeyCache(server.url, max_age_seconds=300):
        await server.requested.wait()
        assert REGISTRY.get_sample_value(AGE) == math.inf


async def test_keys_that_nobody_needs_have_no_age() -> None:
    async with KeyCache(None, max_age_seconds=300):
        age = REGISTRY.get_sample_value(AGE)

    assert age is not None
    assert math.isnan(age)
