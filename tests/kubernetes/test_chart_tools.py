"""What other tools say about the Helm chart, and a real API server if there is one (KUBECONFIG)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import pytest

from tests.support.chart import CHART, DEFAULT, EVERY_VARIANT, render, run_helm

KUBECONFORM: Final = os.environ.get("KUBECONFORM") or shutil.which("kubeconform")
KUBECONFORM_SCHEMAS: Final = os.environ.get("KUBECONFORM_SCHEMAS")
"""Where kubeconform finds schemas; None for its own default, which is on the internet."""

KUBE_SCORE: Final = os.environ.get("KUBE_SCORE") or shutil.which("kube-score")
KUBECTL: Final = os.environ.get("KUBECTL") or shutil.which("kubectl")
KUBECONFIG: Final = os.environ.get("KUBECONFIG")

IGNORED_TESTS: Final = {
    "container-image-pull-policy": "a release names a version; image.pullPolicy can be Always",
    "container-ephemeral-storage-request-and-limit": "nothing is written but logs",
    "deployment-has-host-podantiaffinity": "spread constraints do it, also with more than one zone",
    "deployment-replicas": "one Better Auth server is enough: tasks go on while it is away",
    "pod-probes-identical": "the edge's HTTP answers are those of the services, so both ask by TCP",
}
"""Tests of kube-score that do not fit, each with the reason."""


def run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.skipif(KUBECONFORM is None, reason="there is no kubeconform (KUBECONFORM=PATH)")
@EVERY_VARIANT
def test_kubernetes_knows_every_field(values: tuple[str, ...]) -> None:
    assert KUBECONFORM is not None
    options = ["-strict", "-summary"]
    if KUBECONFORM_SCHEMAS:
        options += ["-schema-location", KUBECONFORM_SCHEMAS]

    result = run(KUBECONFORM, *options, text=render(*values).text)

    assert result.returncode == 0, result.stdout
    assert "Skipped: 0" in result.stdout


@pytest.mark.skipif(KUBE_SCORE is None, reason="there is no kube-score (KUBE_SCORE=PATH)")
@EVERY_VARIANT
def test_kube_score_has_no_objection(values: tuple[str, ...]) -> None:
    assert KUBE_SCORE is not None
    options = [f"--ignore-test={name}" for name in IGNORED_TESTS]

    result = run(
        KUBE_SCORE, "score", *options, "--exit-one-on-warning", "-", text=render(*values).text
    )

    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """Return the name of a namespace of its own."""
    assert KUBECTL is not None
    name = f"chart-{uuid4().hex[:8]}"
    created = run(KUBECTL, "create", "namespace", name)
    assert created.returncode == 0, created.stderr
    yield name
    run(KUBECTL, "delete", "namespace", name, "--wait=false")


def dry_run(namespace: str, text: str) -> subprocess.CompletedProcess[str]:
    """Let the API server check manifests, without storing them."""
    assert KUBECTL is not None
    options = ["--dry-run=server", "--validate=strict"]
    return run(KUBECTL, "--namespace", namespace, "apply", *options, "--filename=-", text=text)


NEEDS_SERVER = pytest.mark.skipif(not KUBECONFIG, reason="there is no API server (KUBECONFIG=PATH)")


@NEEDS_SERVER
@EVERY_VARIANT
def test_an_api_server_takes_everything(namespace: str, values: tuple[str, ...]) -> None:
    result = dry_run(namespace, render(*values).text)

    assert result.returncode == 0, result.stderr


@NEEDS_SERVER
def test_an_api_server_refuses_a_misspelled_field(namespace: str) -> None:
    text = render(*DEFAULT).text
    misspelled = text.replace("terminationGracePeriodSeconds", "terminationGraceSeconds")

    result = dry_run(namespace, misspelled)

    assert 'unknown field "spec.template.spec.terminationGraceSeconds"' in result.stderr


@NEEDS_SERVER
def test_a_missing_secret_and_a_missing_key_are_named(namespace: str) -> None:
    assert KUBECTL is not None
    kubectl = [KUBECTL, "--namespace", namespace]
    # A cluster has it in every namespace; a lone API server does not make it.
    run(*kubectl, "create", "serviceaccount", "default")

    without_secret = dry_run_of_helm(namespace)
    run(*kubectl, "create", "secret", "generic", "platform-secrets", "--from-literal=OTHER=x")
    without_keys = dry_run_of_helm(namespace)

    assert f'the namespace {namespace} has no Secret "platform-secrets"' in without_secret
    for key in ("PASSPORT_PRIVATE_KEY", "TASKS_DATABASE_URL", "BETTER_AUTH_SECRET"):
        assert f'the Secret "platform-secrets" lacks the key {key}' in without_keys
    assert "certificates.existingSecret" in without_keys


def dry_run_of_helm(namespace: str) -> str:
    """Return what Helm says about an installation in which it may look at the cluster."""
    values = [f"--set={value}" for value in (*DEFAULT, "certificates.existingSecret=authority")]
    options = ["--namespace", namespace, "--dry-run=server", *values]
    return run_helm("install", "platform", str(CHART), *options).stderr
