"""The Helm chart, rendered as an operator would."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.sources import ROOT

CHART: Final = ROOT / "deploy" / "kubernetes" / "chart"

HELM: Final = os.environ.get("HELM") or shutil.which("helm")
"""The program, version 3; None if it is not installed."""

DEFAULT: Final = ("publicUrl=https://tasks.example.com", "existingSecret=platform-secrets")
"""What has no default: with it, all others can be left as they are."""

WITH_BETTER_AUTH: Final = (*DEFAULT, "betterAuth.enabled=true")

FULL: Final = (
    *WITH_BETTER_AUTH,
    "edge.tls.existingSecret=certificate",
    "edge.service.type=LoadBalancer",
    "edge.autoscaling.enabled=true",
    "authGateway.autoscaling.enabled=true",
    "tasks.autoscaling.enabled=true",
    "users.autoscaling.enabled=true",
    "certificates.existingSecret=authority",
    "image.pullSecrets={registry}",
    "nodeSelector.disktype=ssd",
    "tolerations[0].key=dedicated",
    "tolerations[0].operator=Exists",
    "priorityClassName=important",
    r"podAnnotations.linkerd\.io/inject=disabled",
    "cors.origins={https://app.example.com}",
    "cors.requestHeaders={X-Client-Version}",
    "networkPolicies.database.cidrs={10.0.0.0/8}",
    "networkPolicies.redis.cidrs={10.1.0.0/16}",
    "limits.shared=true",
    "ingress.enabled=true",
    "ingress.className=public",
    "ingress.tlsSecret=certificate",
    "tracing.endpoint=http://otel-collector.monitoring:4318/",
    "tracing.samplingPercent=10",
    "httpRoute.enabled=true",
    "httpRoute.parentRefs[0].name=public",
    "monitoring.podMonitor.enabled=true",
    "monitoring.podMonitor.interval=30s",
    "monitoring.podMonitor.labels.release=prometheus",
    "monitoring.prometheusRule.enabled=true",
    "monitoring.prometheusRule.labels.release=prometheus",
    "monitoring.dashboard.enabled=true",
    "monitoring.dashboard.annotations.grafana_folder=Tasks",
)

EVERY_VARIANT: Final = pytest.mark.parametrize(
    "values", [DEFAULT, WITH_BETTER_AUTH, FULL], ids=["default", "better-auth", "full"]
)

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The result of `helm template`."""

    text: str
    error: str
    """What Helm says if it refuses the values; empty if it does not."""

    @property
    def manifests(self) -> list[Manifest]:
        """Everything that would be created."""
        return [manifest for manifest in yaml.safe_load_all(self.text) if manifest]

    def of_kind(self, kind: str) -> dict[str, Manifest]:
        """Return the manifests of one kind, by name."""
        return {
            manifest["metadata"]["name"]: manifest
            for manifest in self.manifests
            if manifest["kind"] == kind
        }


def run_helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm, and return what it wrote."""
    assert HELM is not None
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


@cache
def render(*values: str, chart: Path = CHART) -> Rendered:
    """Render the chart as a release named `platform` with `NAME=value` each."""
    options = [f"--set={value}" for value in values]
    result = run_helm("template", "platform", str(chart), *options)
    return Rendered(result.stdout, result.stderr if result.returncode else "")
