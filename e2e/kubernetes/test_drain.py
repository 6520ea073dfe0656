"""A node is drained while requests run."""

import asyncio
from typing import Final

from e2e.support.kubernetes_release import (
    KUBECTL,
    POLL_SECONDS,
    RECOVERY_SECONDS,
    KubernetesRelease,
    is_ready,
    run,
)
from e2e.support.load_generator import LoadReport

PARTS: Final = ("auth-gateway", "tasks", "users")

RETRY_SECONDS: Final = 6
"""`kubectl drain` tries again each five seconds to evict what a disruption budget protects."""


async def test_a_drained_node_fails_no_request(
    kubernetes_release: KubernetesRelease, load: LoadReport
) -> None:
    """Every pod is evicted by `kubectl drain`, which the disruption budgets slow down.

    While the only node is cordoned, it takes no new pod: one pod of each part is left, and its
    eviction is refused. Once the node takes pods again, the drain goes on by itself.
    """
    before = {part: await kubernetes_release.pod_names(part) for part in PARTS}
    [first, *_] = await kubernetes_release.pods("tasks")
    node = first["spec"]["nodeName"]
    drain = asyncio.create_task(
        run(
            KUBECTL,
            "drain",
            node,
            f"--pod-selector=app.kubernetes.io/instance={kubernetes_release.name}",
            "--delete-emptydir-data",
            "--ignore-daemonsets",
            f"--timeout={RECOVERY_SECONDS}s",
        )
    )
    try:
        for part in PARTS:
            await wait_until_one_waits(kubernetes_release, part)
        await asyncio.sleep(RETRY_SECONDS)
        for part in PARTS:
            await wait_until_one_waits(kubernetes_release, part)
    finally:
        await run(KUBECTL, "uncordon", node)
    await drain
    for part in (*PARTS, "edge"):
        await kubernetes_release.wait_until_settled(part)
    await kubernetes_release.wait_until_settled("better-auth", 1)

    for part in PARTS:
        assert not before[part] & await kubernetes_release.pod_names(part)
    # The drain ends both edges, with the connections that clients have kept.
    assert sum(load.failures.values()) <= 2 * len(load.users)


async def wait_until_one_waits(release: KubernetesRelease, part: str) -> None:
    """Wait until one pod of a part finds no node, and see that another one is ready."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            pods = await release.pods(part)
            assert any(is_ready(pod) for pod in pods)
            if any(pod["status"]["phase"] == "Pending" for pod in pods):
                return
            await asyncio.sleep(POLL_SECONDS)
