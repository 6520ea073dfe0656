"""A process of each part is killed while requests run, and Kubernetes restarts it."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest

from e2e.support.kubernetes_release import KubernetesRelease
from e2e.support.load_generator import LoadReport, run_load
from e2e.support.user_client import UserClientFactory

BEFORE_SECONDS: Final = 1.5
AFTER_SECONDS: Final = 1.5

NOTICED_SECONDS: Final = 5
"""How long Kubernetes may send new connections to a pod whose process was killed: 0.3 s if idle."""


async def kill_one(release: KubernetesRelease, as_user: UserClientFactory, part: str) -> LoadReport:
    """Kill one of the two pods of a part under load; nothing fails once that is over."""
    [killed_pod, _] = await release.pods(part)
    async with run_load(as_user, with_profiles=True) as report:
        await asyncio.sleep(BEFORE_SECONDS)
        assert report.failures == {}
        await release.kill_container(killed_pod)
        await release.wait_until_settled(part)
        failures_after_recovery = report.failures
        await asyncio.sleep(AFTER_SECONDS)
    assert report.failures == failures_after_recovery
    await report.assert_created_tasks_exist()
    return report


@pytest.mark.parametrize("part", ["tasks", "users", "auth-gateway"])
async def test_a_kill_fails_no_more_than_the_requests_in_flight(
    kubernetes_release: KubernetesRelease, as_user: UserClientFactory, part: str
) -> None:
    report = await kill_one(kubernetes_release, as_user, part)

    assert sum(report.failures.values()) <= len(report.users)


async def test_a_killed_edge_ends_connections_until_kubernetes_notices(
    kubernetes_release: KubernetesRelease, as_user: UserClientFactory
) -> None:
    """Before the edge nobody can send a request again but the client, which is told nothing."""
    report = await kill_one(kubernetes_release, as_user, "edge")

    assert not [outcome for outcome in report.failures if outcome.isdecimal()]
    duration = max(report.failed_at) - min(report.failed_at) if report.failed_at else timedelta()
    assert duration < timedelta(seconds=NOTICED_SECONDS)
