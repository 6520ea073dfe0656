"""The platform in a Kubernetes cluster: a release of the chart, in a namespace of its own.

The cluster is that of `KUBECONFIG`. Any will do whose nodes this machine reaches; a NodePort of
the edge is forwarded to localhost, where browsers treat a page as they would over HTTPS.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from devkit.platform.environment import minimal_environment
from devkit.platform.settings import CHECKOUT
from e2e.support.tcp_forwarder import TcpForwarder

KUBECTL: Final = os.environ.get("KUBECTL") or "kubectl"
HELM: Final = os.environ.get("HELM") or "helm"

CHART: Final = CHECKOUT / "deploy" / "kubernetes" / "chart"

TAG: Final = "e2e"
"""The tag of the images that these suites build."""

COMMAND_SECONDS: Final = 900
"""How long a command may take: images are built from nothing."""

RECOVERY_SECONDS: Final = 120
"""How long a part may take to become ready again.

Far longer than the platform promises, because test machines are busy.
"""

POLL_SECONDS: Final = 0.3

KILL_CONTAINER: Final = """
import os, sys
from pathlib import Path
for folder in Path("/proc").glob("[0-9]*"):
    try:
        group = (folder / "cgroup").read_text()
    except OSError:
        continue
    if sys.argv[1] in group:
        os.kill(int(folder.name), 9)
"""


@dataclass
class KubernetesRelease:
    """A release, and what stands beside it."""

    name: str
    """Of the release and of its namespace."""

    folder: Path
    forwarder: TcpForwarder
    secrets: dict[str, str]
    """What the Secret holds."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def url(self) -> str:
        """The public URL."""
        return f"http://localhost:{self.forwarder.port}"

    @property
    def outside(self) -> str:
        """The namespace of the database and of a pod that is no part of the platform."""
        return f"{self.name}-outside"

    @property
    def monitoring(self) -> str:
        """The namespace whose pods may read metrics; it does not exist at first."""
        return f"{self.name}-monitoring"

    def part(self, name: str) -> str:
        """Return the name of everything that belongs to a part of the release."""
        return f"{self.name}-task-platform-{name}"

    async def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl in the namespace of the release and return its output."""
        return await run(KUBECTL, f"--namespace={self.name}", *arguments, stdin=stdin)

    async def kubectl_outside(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl in the other namespace and return its output."""
        return await run(KUBECTL, f"--namespace={self.outside}", *arguments, stdin=stdin)

    async def upgrade(self, *options: str, timeout_seconds: int = 240) -> str:
        """Install or upgrade the release, and wait until it is ready.

        Args:
            options: Further options, such as a value that differs from the usual ones.
            timeout_seconds: How long Helm waits.
        """
        values = self.folder / "values.json"
        await asyncio.to_thread(values.write_text, json.dumps(self.values))
        return await self.helm(
            "upgrade",
            "--install",
            "--wait",
            f"--timeout={timeout_seconds}s",
            f"--values={values}",
            *options,
            self.name,
            str(CHART),
        )

    async def helm(self, *arguments: str) -> str:
        """Run Helm and return its output."""
        return await run(HELM, f"--namespace={self.name}", *arguments)

    async def psql(self, database: str, statement: str) -> str:
        """Execute a statement as superuser and return its output."""
        options = ("--username=postgres", "--no-align", "--tuples-only", f"--dbname={database}")
        return await self.kubectl_outside(
            "exec", "deployment/postgres", "--", "psql", *options, f"--command={statement}"
        )

    def database_url(self, database: str) -> str:
        """Return the URL of a database, for its own role."""
        password = self.secrets[f"{database.upper()}_DATABASE_PASSWORD"]
        return f"postgresql://{database}:{password}@postgres.{self.outside}/{database}"

    async def update_secret(self, **changes: str) -> None:
        """Change keys of the Secret, or add them; pods read it when they start."""
        self.secrets |= changes
        patch = json.dumps({"stringData": changes})
        await self.kubectl("patch", "secret", "platform-secrets", f"--patch={patch}")

    async def remove_from_secret(self, key: str) -> None:
        """Remove a key of the Secret."""
        del self.secrets[key]
        patch = json.dumps({"data": {key: None}})
        await self.kubectl("patch", "secret", "platform-secrets", f"--patch={patch}")

    async def restart(self, *parts: str) -> None:
        """Replace the pods of some parts, as `docs/kubernetes.md` describes."""
        deployments = [f"deployment/{self.part(part)}" for part in parts]
        await self.kubectl("rollout", "restart", *deployments)
        for deployment in deployments:
            await self.kubectl("rollout", "status", f"--timeout={RECOVERY_SECONDS}s", deployment)

    async def scale(self, part: str, replicas: int) -> None:
        """Change the number of pods of a part, and wait until so many are ready."""
        deployment = f"deployment/{self.part(part)}"
        await self.kubectl("scale", f"--replicas={replicas}", deployment)
        await self.kubectl("rollout", "status", f"--timeout={RECOVERY_SECONDS}s", deployment)

    async def pods(self, part: str) -> list[dict[str, Any]]:
        """Return the pods of a part as Kubernetes describes them, also those that are ending."""
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={part}"
        output = await self.kubectl("get", "pods", f"--selector={selector}", "--output=json")
        pods: list[dict[str, Any]] = json.loads(output)["items"]
        return pods

    async def pod_names(self, *parts: str) -> set[str]:
        """Return the names of all pods of some parts."""
        return {pod["metadata"]["name"] for part in parts for pod in await self.pods(part)}

    async def wait_until_settled(self, part: str, replicas: int = 2) -> None:
        """Wait until a part has so many pods, all of them ready, and none that is ending.

        A pod that is ending still responds to requests on connections that it had.
        """
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            pods = await self.pods(part)
            if len(pods) == replicas and all(is_ready(pod) for pod in pods):
                return
            assert time.monotonic() < deadline, f"{part} is not settled: {pods}"
            await asyncio.sleep(POLL_SECONDS)

    async def kill_container(self, pod: Mapping[str, Any]) -> None:
        """Kill the processes of a pod's only container, and wait until it runs again."""
        [status] = pod["status"]["containerStatuses"]
        container_id = status["containerID"].rpartition("/")[2]
        name: str = pod["metadata"]["name"]
        program = ("python", "-c", KILL_CONTAINER, container_id)
        await self.kubectl_outside("exec", "deployment/stranger", "--", *program)
        restarts = "jsonpath={.status.containerStatuses[0].restartCount}"
        expected = status["restartCount"] + 1
        await self.kubectl(
            "wait", f"--for={restarts}={expected}", f"--timeout={RECOVERY_SECONDS}s", f"pod/{name}"
        )

    async def wait_until_ready(self) -> None:
        """Wait until the platform is ready."""
        async with (
            asyncio.timeout(RECOVERY_SECONDS),
            httpx.AsyncClient(base_url=self.url) as client,
        ):
            while True:
                with suppress(httpx.TransportError):
                    response = await client.get("/readyz")
                    if response.is_success:
                        return
                await asyncio.sleep(POLL_SECONDS)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod gets requests."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def run(*command: str, stdin: str = "", cwd: Path = CHECKOUT) -> str:
    """Run a command and return what it prints.

    Raises:
        RuntimeError: The exit status is not 0.
    """
    environment = minimal_environment()
    for name, value in os.environ.items():
        if name.startswith("DOCKER_") or name == "KUBECONFIG":
            environment[name] = value
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(COMMAND_SECONDS):
        stdout, stderr = await process.communicate(stdin.encode())
    if process.returncode:
        output = stdout.decode() + stderr.decode()
        message = f"{' '.join(command)}: {output[-3000:]}"
        raise RuntimeError(message)
    return stdout.decode()


def secret_manifest(name: str, values: Mapping[str, str]) -> str:
    """Return a Secret as JSON."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": dict(values),
    }
    return json.dumps(manifest)
