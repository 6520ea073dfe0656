"""Requests during a whole test of what operators do."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import pytest

from e2e.support.load_generator import LoadReport, run_load
from e2e.support.user_client import UserClientFactory

BEFORE_SECONDS: Final = 1.0
AFTER_SECONDS: Final = 1.0


@pytest.fixture
async def load(as_user: UserClientFactory) -> AsyncGenerator[LoadReport]:
    """Send requests during the whole test, and check that no response was an error.

    Connections may end, as when an edge is replaced; the test says if they may not.
    """
    async with run_load(as_user, with_profiles=True) as report:
        await asyncio.sleep(BEFORE_SECONDS)
        assert report.failures == {}
        yield report
        await asyncio.sleep(AFTER_SECONDS)
    assert report.outcomes.total() > 4 * len(report.users)
    assert not [outcome for outcome in report.failures if outcome.isdecimal()]
    await report.assert_created_tasks_exist()
