"""The Helm chart, without a cluster: what it renders, and what it refuses."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml
from pydantic_settings import BaseSettings

from auth_gateway.settings import GatewaySettings
from tasks.settings import TasksSettings
from tests.support.chart import (
    CHART,
    DEFAULT,
    EVERY_VARIANT,
    FULL,
    Manifest,
    Rendered,
    render,
    run_helm,
)
from tests.support.sources import ROOT
from users.settings import UsersSettings

LEFT_TO_DEFAULTS: Final = {
    "HOST": "the image sets it",
    "PORT": "the image sets it",
    "APP_FOLDER": "the image sets it",
    "DANGEROUSLY_ALLOW_WEAK_SECRET": "for development",
    "KEYS_MAX_AGE_SECONDS": "no cluster needs another",
    "KEYS_FETCH_SECONDS": "no cluster needs another",
    "CORS_ORIGINS": "the edge answers for the gateway",
    "CORS_REQUEST_HEADERS": "the edge answers for the gateway",
    "BETTER_AUTH_SERVER_URL": "the edge forwards to it",
    "OTEL_SERVICE_NAME": "every part has its own name",
}
"""Settings that the chart does not set, each with the reason."""


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of each value that is no group of others."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(cast("dict[str, Any]", value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def schema_leaves(node: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of each value that the schema knows."""
    if reference := node.get("$ref"):
        node = schema["$defs"][reference.removeprefix("#/$defs/")]
    properties = node.get("properties")
    if properties is None:
        yield prefix.removesuffix(".")
        return
    assert node["additionalProperties"] is False, f"{prefix} takes any name"
    for name, child in properties.items():
        yield from schema_leaves(child, schema, f"{prefix}{name}.")


def pod_templates(rendered: Rendered) -> Iterator[tuple[str, Manifest]]:
    for kind in ("Deployment", "Job"):
        for name, manifest in rendered.of_kind(kind).items():
            yield name, manifest["spec"]["template"]


def pod_specs(rendered: Rendered) -> Iterator[tuple[str, Manifest]]:
    for name, template in pod_templates(rendered):
        yield name, template["spec"]


def environment_of(rendered: Rendered, name: str) -> dict[str, Manifest]:
    """Return the variables of one Deployment's process."""
    deployment = rendered.of_kind("Deployment")[f"platform-task-platform-{name}"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return {variable["name"]: variable for variable in container["env"]}


def secret_keys(rendered: Rendered, name: str) -> set[str]:
    """Return the keys of the Secret that one Deployment reads."""
    return {
        variable["valueFrom"]["secretKeyRef"]["key"]
        for variable in environment_of(rendered, name).values()
        if "valueFrom" in variable
    }


def test_every_value_is_in_the_schema_and_has_a_default() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    # Helm itself gives `global` to a chart that is a part of another.
    assert set(schema_leaves(schema, schema)) - {"global"} == set(leaves(values))


def test_the_chart_passes_helm_lint() -> None:
    options = [f"--set={value}" for value in DEFAULT]
    result = run_helm("lint", "--strict", str(CHART), *options)

    assert result.returncode == 0, result.stdout


@EVERY_VARIANT
def test_the_edge_reads_the_very_files_of_compose(values: tuple[str, ...], tmp_path: Path) -> None:
    rendered = render(*values)
    files = rendered.of_kind("ConfigMap")["platform-task-platform-edge"]["data"]

    environment = {
        name: str(variable["value"])
        for name, variable in environment_of(rendered, "tasks").items()
        if name.startswith("OTEL_")
    }
    command = ["/bin/sh", ROOT / "deploy" / "traefik" / "configure.sh"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    for name in ("traefik.yml", "routes.yml"):
        # The chart indents empty lines, too.
        lines = [line.rstrip() for line in files[name].strip().splitlines()]
        assert lines == (tmp_path / name).read_text().strip().splitlines()


def test_traces_can_leave_the_cluster_network_of_every_part_that_sends_some() -> None:
    policies = render(*FULL).of_kind("NetworkPolicy")

    for part in ("edge", "auth-gateway", "tasks", "users"):
        egress = policies[f"platform-task-platform-{part}"]["spec"]["egress"]
        assert {"ports": [{"port": 4318}]} in egress, part


def test_alerts_and_dashboard_are_the_very_files_of_deploy_monitoring() -> None:
    rendered = render(*FULL)
    folder = ROOT / "deploy" / "monitoring"

    rules = rendered.of_kind("PrometheusRule")["platform-task-platform"]
    assert rules["spec"] == yaml.safe_load((folder / "alerts.yml").read_text())
    dashboard = rendered.of_kind("ConfigMap")["platform-task-platform-dashboard"]["data"]
    assert (
        dashboard["task-platform.json"].strip() == (folder / "dashboard.json").read_text().strip()
    )


def test_the_pod_monitor_selects_every_pod_with_metrics() -> None:
    """Its jobs get the names that the alert rules expect."""
    rendered = render(*FULL)
    spec = rendered.of_kind("PodMonitor")["platform-task-platform"]["spec"]
    [endpoint] = spec["podMetricsEndpoints"]

    components: set[str] = set()
    for manifest in rendered.of_kind("Deployment").values():
        template = manifest["spec"]["template"]
        [container] = template["spec"]["containers"]
        if endpoint["port"] in {port["name"] for port in container["ports"]}:
            labels = template["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()
            components.add(labels["app.kubernetes.io/component"])
    assert components == {"edge", "auth-gateway", "tasks", "users"}
    assert endpoint["relabelings"] == [
        {
            "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
            "targetLabel": "job",
            "replacement": "task-platform/$1",
        }
    ]


@EVERY_VARIANT
def test_no_process_has_rights(values: tuple[str, ...]) -> None:
    for name, pod in pod_specs(render(*values)):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert set(container["resources"]) == {"requests", "limits"}, name


def test_each_process_gets_only_the_secrets_that_it_needs() -> None:
    rendered = render(*FULL)

    assert secret_keys(rendered, "edge") == {"REDIS_URL"}
    assert secret_keys(rendered, "auth-gateway") == {
        "PASSPORT_PRIVATE_KEY",
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_SECRETS",
    }
    assert secret_keys(rendered, "tasks") == {
        "PASSPORT_PUBLIC_KEYS",
        "TASKS_DATABASE_URL",
    }
    assert secret_keys(rendered, "users") == {
        "PASSPORT_PUBLIC_KEYS",
        "USERS_DATABASE_URL",
    }


def test_every_pod_runs_where_the_values_say() -> None:
    for name, pod in pod_specs(render(*FULL)):
        assert pod["nodeSelector"] == {"disktype": "ssd"}, name
        assert pod["tolerations"] == [{"key": "dedicated", "operator": "Exists"}], name
        assert pod["priorityClassName"] == "important", name


def test_every_pod_has_the_annotations_of_the_values() -> None:
    for name, template in pod_templates(render(*FULL)):
        annotations = template["metadata"]["annotations"]
        assert annotations["linkerd.io/inject"] == "disabled", name


@pytest.mark.parametrize(
    ("memory", "limit"),
    [("256Mi", 192 * 2**20), ("1.5Gi", 1.125 * 2**30), ("400M", 300_000_000), ("null", None)],
)
def test_the_edge_collects_garbage_before_its_memory_ends(memory: str, limit: float | None) -> None:
    rendered = render(*DEFAULT, f"edge.resources.limits.memory={memory}")

    variable = environment_of(rendered, "edge").get("GOMEMLIMIT")

    assert (variable and int(variable["value"])) == limit


@pytest.mark.parametrize(
    ("name", "settings_class"),
    [("auth-gateway", GatewaySettings), ("tasks", TasksSettings), ("users", UsersSettings)],
)
def test_every_setting_of_a_process_can_be_set(
    name: str, settings_class: type[BaseSettings]
) -> None:
    known = {setting.upper() for setting in settings_class.model_fields}

    given = set(environment_of(render(*FULL), name))

    # Migrations use it, which are no process of a Deployment.
    unset = known - given - set(LEFT_TO_DEFAULTS) - {f"{name.upper()}_DATABASE_URL_UNPOOLED"}
    assert unset == set()
    assert given - known <= {"SSL_CERT_FILE"}


def test_an_authority_of_ones_own_is_where_databases_and_keys_are_asked_for() -> None:
    for name, pod in pod_specs(render(*FULL)):
        [container] = pod["containers"]
        mounted = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        assert "/certificates" in mounted, name


def test_the_edge_reaches_redis_only_if_limits_are_shared() -> None:
    to_redis = {"ports": [{"port": 6379}]}
    policies = {
        shared: render(*DEFAULT, f"limits.shared={shared}").of_kind("NetworkPolicy")
        for shared in ("true", "false")
    }
    edge = "platform-task-platform-edge"

    assert to_redis in policies["true"].pop(edge)["spec"]["egress"]
    for policy in (*policies["true"].values(), *policies["false"].values()):
        assert to_redis not in policy["spec"]["egress"]
    assert secret_keys(render(*DEFAULT), "edge") == set()
    assert "REDIS_URL" in render("limits.shared=true").error


@EVERY_VARIANT
def test_no_probe_of_a_running_process_asks_the_database(values: tuple[str, ...]) -> None:
    for name, pod in pod_specs(render(*values)):
        for container in pod["containers"]:
            for kind in ("readinessProbe", "livenessProbe"):
                assert "/readyz" not in json.dumps(container.get(kind, {})), name


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("edge.replica=3", "additional properties 'replica' not allowed"),
        ("tasks.replicas=two", "at '/tasks/replicas': got string, want integer"),
        ("edge.service.type=Loadbalancer", "at '/edge/service/type': value must be one of"),
        ("tolerations[0].effect=Never", "at '/tolerations/0/effect': value must be one of"),
        ("database.preparedStatements=yes", "at '/database/preparedStatements': value must be"),
        ("limits.perAddress=-1", "at '/limits/perAddress': minimum: got -1, want 0"),
        ("monitoring.podMonitor.interval=30", "at '/monitoring/podMonitor/interval': "),
        ("publicUrl=", "publicUrl is missing"),
        ("publicUrl=tasks.example.com", "publicUrl must be a URL"),
        ("publicUrl=https://example.com/tasks", "publicUrl must be a URL"),
        ("existingSecret=", "with the keys PASSPORT_PRIVATE_KEY, PASSPORT_PUBLIC_KEYS"),
        ("image.repository=", "image.repository must be a name of images"),
        ("image.repository=https://registry.example.com/x", "image.repository must be"),
        ("image.repository=registry.example.com/x/", "image.repository must be"),
        ("edge.image.repository=Traefik", "edge.image.repository must be"),
        ("networkPolicies.database.cidrs={10.0.0.7}", "/cidrs/0': '10.0.0.7' does not match"),
        ("cors.origins={https://example.com/}", "cors.origins must be origins"),
        ("tracing.endpoint=otel-collector:4318", "tracing.endpoint must be a URL"),
        ("tracing.samplingPercent=101", "at '/tracing/samplingPercent': maximum: got 101"),
        ("cors.requestHeaders={X Y}", "cors.requestHeaders must be names of headers"),
        ("tasks.autoscaling.min=20,tasks.autoscaling.enabled=true", "tasks.autoscaling.min must"),
        ("edge.service.nodePort=30080", "edge.service.nodePort needs edge.service.type"),
        ("httpRoute.enabled=true", "httpRoute.parentRefs is missing"),
        ("betterAuth.url=auth.example.com", "betterAuth.url must be a URL"),
        ("betterAuth.url=https://a.example.com,betterAuth.enabled=true", "set one of them"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(value: str, sentence: str) -> None:
    assert sentence in render(*DEFAULT, value).error


def test_every_wrong_value_is_named_at_once() -> None:
    error = render("cors.origins={*}").error

    assert "publicUrl is missing" in error
    assert "existingSecret is missing" in error
    assert 'one is "*"' in error


def test_the_chart_is_complete_without_the_checkout(tmp_path: Path) -> None:
    """Its links to deploy/traefik become files in the archive."""
    assert run_helm("package", str(CHART), "--destination", str(tmp_path)).returncode == 0
    [archive] = tmp_path.glob("*.tgz")

    assert render(*FULL, chart=archive) == render(*FULL)
