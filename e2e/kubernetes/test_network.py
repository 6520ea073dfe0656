"""Who can connect to whom. Network policies begin a moment after a pod, so tests wait for it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Final

import pytest

from e2e.support.kubernetes_release import (
    KUBECTL,
    POLL_SECONDS,
    RECOVERY_SECONDS,
    TAG,
    KubernetesRelease,
    run,
)

PORTS: Final = {
    "edge": (8080, 9100),
    "auth-gateway": (8000, 9100),
    "tasks": (8000, 9100),
    "users": (8000, 9100),
    "better-auth": (3000,),
}
"""What each part listens at; 9100 is for metrics."""

METRICS: Final = {"edge:9100", "auth-gateway:9100", "tasks:9100", "users:9100"}

CONNECT: Final = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def connect(target):
    name, host, port = target.split("=")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError:
        return ""
    return name + ":" + port
with ThreadPoolExecutor(len(sys.argv)) as threads:
    print(*threads.map(connect, sys.argv[1:]))
"""
"""Prints those of its arguments, NAME=HOST=PORT, that can be connected to, as NAME:PORT."""

RESTRICTED: Final = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


async def connections(release: KubernetesRelease, namespace: str, pod: str) -> set[str]:
    """Return the ports of pods, and the database, that can be connected to from a pod."""
    targets = [f"postgres=postgres.{release.outside}=5432"]
    for part, ports in PORTS.items():
        [pod_of_part, *_] = await release.pods(part)
        address = pod_of_part["status"]["podIP"]
        targets += [f"{part}={address}={port}" for port in ports]
    output = await run(
        KUBECTL, f"--namespace={namespace}", "exec", pod, "--", "python", "-c", CONNECT, *targets
    )
    return set(output.split())


async def assert_connections(
    release: KubernetesRelease, namespace: str, pod: str, expected: set[str]
) -> None:
    actual = set[str]()
    async with asyncio.timeout(RECOVERY_SECONDS):
        for _ in range(5):
            actual = await connections(release, namespace, pod)
            if actual == expected:
                return
            await asyncio.sleep(POLL_SECONDS)
    assert actual == expected


async def start_pod(namespace: str, name: str) -> None:
    container = {
        "name": name,
        "image": f"task-platform/tasks:{TAG}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": RESTRICTED,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    options = (KUBECTL, f"--namespace={namespace}")
    await run(*options, "apply", "-f", "-", stdin=json.dumps(pod))
    await run(
        *options, "wait", "--for=condition=Ready", f"--timeout={RECOVERY_SECONDS}s", f"pod/{name}"
    )


@pytest.fixture
async def monitoring(kubernetes_release: KubernetesRelease) -> AsyncGenerator[str]:
    """Return the namespace of what may read metrics."""
    namespace = kubernetes_release.monitoring
    await run(KUBECTL, "create", "namespace", namespace)
    yield namespace
    await run(KUBECTL, "delete", "namespace", namespace, "--wait=false")


async def test_a_foreign_pod_reaches_the_edge_only(kubernetes_release: KubernetesRelease) -> None:
    release = kubernetes_release
    await start_pod(release.name, "neighbour")

    await assert_connections(release, release.outside, "deployment/stranger", {"edge:8080"})
    await assert_connections(release, release.name, "neighbour", {"edge:8080"})


async def test_monitoring_reaches_metrics(
    kubernetes_release: KubernetesRelease, monitoring: str
) -> None:
    await start_pod(monitoring, "prometheus")

    await assert_connections(kubernetes_release, monitoring, "prometheus", {"edge:8080"} | METRICS)


@pytest.mark.parametrize(
    ("part", "called"),
    [
        ("auth-gateway", {"tasks:8000", "users:8000", "better-auth:3000"}),
        ("tasks", {"users:8000", "postgres:5432"}),
        ("users", {"tasks:8000", "postgres:5432"}),
    ],
)
async def test_a_part_reaches_what_it_calls(
    kubernetes_release: KubernetesRelease, part: str, called: set[str]
) -> None:
    [pod, other, *_] = reversed(await kubernetes_release.pods(part))
    assert pod != other

    await assert_connections(
        kubernetes_release, kubernetes_release.name, pod["metadata"]["name"], called
    )
