"""More pods under load, fewer after it, and no request fails."""

import asyncio
import json
from typing import Final

from e2e.support.kubernetes_release import POLL_SECONDS, KubernetesRelease, is_ready
from e2e.support.load_generator import run_load
from e2e.support.user_client import UserClientFactory

CPU: Final = "25m"
"""More than a pod uses for its probes, and less than for its part of the load."""

PAUSE_SECONDS: Final = 0.5
"""Pause between two requests of the one client that is left in the end."""

SCALING_SECONDS: Final = 120
"""Kubernetes measures every 15 s and decides every 15 s, on a machine that is busy."""

AT_ONCE: Final = {"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}
"""Without the five minutes that Kubernetes otherwise waits before it removes a pod."""


async def test_tasks_gets_a_third_pod_under_load_and_loses_it_afterwards(
    kubernetes_release: KubernetesRelease, as_user: UserClientFactory
) -> None:
    autoscaling = f"enabled=true,min=2,max=3,cpu={CPU}"
    options = [f"--set=tasks.autoscaling.{option}" for option in autoscaling.split(",")]

    before = await kubernetes_release.pod_names("tasks")

    async with run_load(as_user, with_profiles=True) as load:
        await kubernetes_release.upgrade(*options)
        after = await kubernetes_release.pod_names("tasks")
        await kubernetes_release.kubectl(
            "patch", "hpa", kubernetes_release.part("tasks"), f"--patch={json.dumps(AT_ONCE)}"
        )
        await wait_until_ready(kubernetes_release, 3)
    async with run_load(
        as_user, clients=1, pause_seconds=PAUSE_SECONDS, with_profiles=True
    ) as little_load:
        await wait_until_ready(kubernetes_release, 2)
        await kubernetes_release.wait_until_settled("tasks")
        await kubernetes_release.upgrade()

    assert before <= after
    assert load.failures == {}
    assert little_load.failures == {}


async def wait_until_ready(release: KubernetesRelease, replicas: int) -> None:
    async with asyncio.timeout(SCALING_SECONDS):
        while True:
            pods = await release.pods("tasks")
            if sum(is_ready(pod) for pod in pods) == replicas:
                return
            await asyncio.sleep(POLL_SECONDS)
