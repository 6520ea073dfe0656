"""A service has ended before Kubernetes kills it."""

import re

import pytest

from common.app import SHUTDOWN_SECONDS
from common.database.connection import CANCEL_SECONDS, FINISH_SECONDS
from common.server import DRAIN_SECONDS, FIRST_REQUEST_POLLS, HANDSHAKE_SECONDS, POLL_SECONDS
from tests.support.chart import CHART


@pytest.mark.parametrize("template", ["services.yaml", "auth-gateway.yaml"])
def test_the_longest_shutdown_is_shorter_than_the_grace_period(template: str) -> None:
    text = (CHART / "templates" / template).read_text()
    [grace_seconds] = re.findall(r"terminationGracePeriodSeconds: (\d+)", text)
    [pause_seconds] = re.findall(r"preStop: \{sleep: \{seconds: (\d+)\}\}", text)
    stop_listening_seconds = HANDSHAKE_SECONDS + FIRST_REQUEST_POLLS * POLL_SECONDS
    statement_seconds = FINISH_SECONDS + CANCEL_SECONDS

    longest_seconds = int(pause_seconds) + DRAIN_SECONDS + stop_listening_seconds
    longest_seconds += SHUTDOWN_SECONDS + statement_seconds
    assert longest_seconds < int(grace_seconds)
