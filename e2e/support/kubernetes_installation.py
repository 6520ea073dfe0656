"""Builds the images, and installs the chart from nothing with what it expects."""

import os
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import pytest

from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.settings import CHECKOUT
from e2e.support.kubernetes_release import (
    KUBECTL,
    RECOVERY_SECONDS,
    TAG,
    KubernetesRelease,
    run,
    secret_manifest,
)
from e2e.support.tcp_forwarder import run_tcp_forwarder

LOAD_IMAGES: Final = os.environ.get("LOAD_IMAGES", "")
"""A command that makes images of the Docker engine known to the cluster; it gets their names."""

OUTSIDE: Final = CHECKOUT / "e2e" / "support" / "kubernetes" / "outside.yaml"

EDGE_IMAGE: Final = "traefik:v3.7"
"""The chart's default."""

SERVICE_BUILDS: Final = {"auth-gateway": "gateway", "tasks": "service", "users": "service"}
"""The target in `deploy/Dockerfile` of each service."""

OTHER_BUILDS: Final = {"better-auth": "deploy/better-auth", "postgres": "deploy/postgres"}
"""The folder of each image with a Dockerfile of its own."""

DATABASES: Final = ("tasks", "users", "better_auth")

SMALL: Final = {"requests": {"cpu": "20m", "memory": "64Mi"}}
"""What a part requests, so that a release fits on a small node beside others."""


async def build_images() -> None:
    """Build what the chart runs, and let the cluster know the images."""
    names = [EDGE_IMAGE]
    for service, target in SERVICE_BUILDS.items():
        name = f"task-platform/{service}:{TAG}"
        names.append(name)
        options = ("--file=deploy/Dockerfile", f"--build-arg=SERVICE={service}")
        await run(
            "docker", "build", "--quiet", *options, f"--target={target}", f"--tag={name}", "."
        )
    for part, folder in OTHER_BUILDS.items():
        name = f"task-platform/{part}:{TAG}"
        names.append(name)
        await run("docker", "build", "--quiet", f"--tag={name}", folder)
    if LOAD_IMAGES:
        await run(*shlex.split(LOAD_IMAGES), *names)


def new_secrets() -> dict[str, str]:
    """Return passwords and keys for a release."""
    keys = derive_passport_keys(generate_private_key())
    secrets = {f"{database.upper()}_DATABASE_PASSWORD": token_hex(16) for database in DATABASES}
    secrets["POSTGRES_PASSWORD"] = token_hex(16)
    secrets["BETTER_AUTH_SECRET"] = token_hex(32)
    secrets["PASSPORT_PRIVATE_KEY"] = keys.private
    secrets["PASSPORT_PUBLIC_KEYS"] = keys.public
    return secrets


async def prepare_namespaces(release: KubernetesRelease) -> None:
    """Create the namespaces, the database and the Secret that the chart expects."""
    await run(KUBECTL, "create", "namespace", release.name)
    await run(KUBECTL, "create", "namespace", release.outside)
    # The strictest of the Pod Security Standards, as docs/kubernetes.md promises.
    labels = ("e2e=platform", "pod-security.kubernetes.io/enforce=restricted")
    await run(KUBECTL, "label", "namespace", release.name, *labels)
    passwords = {
        name: value for name, value in release.secrets.items() if name.endswith("_PASSWORD")
    }
    await release.kubectl_outside("apply", "-f", "-", stdin=secret_manifest("passwords", passwords))
    await release.kubectl_outside("apply", "-f", str(OUTSIDE))
    for database in DATABASES:
        release.secrets[f"{database.upper()}_DATABASE_URL"] = release.database_url(database)
    platform_secrets = {
        name: value for name, value in release.secrets.items() if not name.endswith("_PASSWORD")
    }
    manifest = secret_manifest("platform-secrets", platform_secrets)
    await release.kubectl("apply", "-f", "-", stdin=manifest)
    for deployment in ("postgres", "stranger"):
        await release.kubectl_outside(
            "rollout", "status", f"--timeout={RECOVERY_SECONDS}s", f"deployment/{deployment}"
        )


def release_values(url: str, origins: list[str], request_headers: list[str]) -> dict[str, Any]:
    """Return the values of the chart: small requests, and no limits for the clients of tests."""
    return {
        "publicUrl": url,
        "existingSecret": "platform-secrets",
        "image": {"tag": TAG},
        "betterAuth": {"enabled": True, "rateLimit": False, "resources": SMALL},
        "cors": {"origins": origins, "requestHeaders": request_headers},
        "limits": {"perAddress": 0, "perUser": 0},
        "edge": {"resources": SMALL, "service": {"type": "NodePort"}},
        "authGateway": {"resources": SMALL},
        "tasks": {"resources": SMALL},
        "users": {"resources": SMALL},
    }


async def edge_address(release: KubernetesRelease) -> tuple[str, int]:
    """Return the address of a node, and the port of the edge there."""
    node = await run(
        KUBECTL,
        "get",
        "nodes",
        '--output=jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
    )
    port = await release.kubectl(
        "get", "service", release.part("edge"), "--output=jsonpath={.spec.ports[0].nodePort}"
    )
    return node, int(port)


@asynccontextmanager
async def run_kubernetes_release(
    folder: Path, *, origins: list[str], request_headers: list[str]
) -> AsyncGenerator[KubernetesRelease]:
    """Install the chart from nothing; at the end remove everything but the images.

    Args:
        folder: An empty folder for the values.
        origins: Other origins that may call the platform.
        request_headers: Headers that these may send.
    """
    with run_tcp_forwarder() as forwarder:
        release = KubernetesRelease(f"e2e-{token_hex(4)}", folder, forwarder, new_secrets())
        release.values = release_values(release.url, origins, request_headers)
        release.values["monitoring"] = {"namespace": release.monitoring}
        try:
            await build_images()
            await prepare_namespaces(release)
            await release.upgrade()
            forwarder.target = await edge_address(release)
            await release.wait_until_ready()
        except (RuntimeError, TimeoutError) as error:
            await delete_namespaces(release)
            pytest.exit(f"The release does not start. {error}", returncode=2)
        try:
            yield release
        finally:
            await delete_namespaces(release)


async def delete_namespaces(release: KubernetesRelease) -> None:
    """Remove everything in both namespaces, without waiting for it."""
    for namespace in (release.name, release.outside):
        with suppress(RuntimeError):
            await run(KUBECTL, "delete", "namespace", namespace, "--wait=false")
