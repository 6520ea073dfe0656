"""Settings that a shell script writes into the edge's configuration: no value is a command."""

import subprocess
from pathlib import Path

import pytest
import yaml

from devkit.platform.environment import minimal_environment
from devkit.testing.traefik import CONFIGURATION

RECEIVER = "OTEL_EXPORTER_OTLP_ENDPOINT"
SHARE = "OTEL_TRACES_SAMPLER_ARG"

SETTINGS = {RECEIVER: "http://collector:4318", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}


def configure(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a folder; without a program that it calls, it would fail as well."""
    return subprocess.run(
        ["/bin/sh", CONFIGURATION / "configure.sh"],
        cwd=folder,
        env=minimal_environment() | SETTINGS | settings,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (RECEIVER, "http://collector|w stolen"),
        (RECEIVER, "http://collector|\n1e touch stolen\ns|x|y"),
        (RECEIVER, "http://collector&x"),
        (RECEIVER, 'http://collector"}}\napi: {insecure: true}\n#'),
        (RECEIVER, 'http://collector", "x": "'),
        (RECEIVER, "http://collector\\1"),
        (RECEIVER, "http://collector?key=1"),
        (RECEIVER, "collector:4318"),
        (RECEIVER, "grpc://collector:4317"),
        (RECEIVER, "https://"),
        (SHARE, "1|\n1e touch stolen\ns|x|y"),
        (SHARE, "1|w stolen"),
        (SHARE, "2"),
        (SHARE, "0.1.2"),
        (SHARE, "a tenth"),
    ],
)
def test_a_wrong_setting_of_traces_is_told_and_does_nothing(
    tmp_path: Path, name: str, value: str
) -> None:
    outcome = configure(tmp_path, **{name: value})

    assert outcome.returncode != 0
    assert outcome.stderr.startswith(f"{name} must be ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("receiver", "share"),
    [
        ("https://user:pass%40word@collector.example.com/otlp", "0.05"),
        ("http://127.0.0.1:4318", "1"),
    ],
)
def test_settings_of_traces_become_a_part_of_the_configuration(
    tmp_path: Path, receiver: str, share: str
) -> None:
    outcome = configure(tmp_path, **{RECEIVER: f"{receiver}/", SHARE: share})

    assert outcome.returncode == 0
    tracing = yaml.safe_load((tmp_path / "traefik.yml").read_text())["tracing"]
    assert tracing["otlp"]["http"]["endpoint"] == f"{receiver}/v1/traces"
    assert tracing["sampleRate"] == float(share)
