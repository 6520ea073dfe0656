"""The measured operations: the same bytes are sent to every topology."""

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final
from uuid import uuid4

from bench.dataset import User
from bench.load import Script

_VERSION: Final = re.compile(rb'"version": ?(\d+)')


@dataclass(frozen=True)
class Client:
    """A client of a user."""

    user: User
    auth_headers: Mapping[str, str]

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the bytes of a request.

        Args:
            method: Method.
            path: Path and query.
            body: Members of a JSON object; None for no body.
            headers: Further headers.
        """
        content = b""
        request_headers = {"Host": "bench", "Accept": "*/*", "User-Agent": "bench"}
        request_headers.update(self.auth_headers)
        if body is not None:
            content = json.dumps(body).encode()
            request_headers["Content-Type"] = "application/json"
            request_headers["Content-Length"] = str(len(content))
        request_headers.update(headers or {})
        lines = [f"{method} {path} HTTP/1.1"]
        lines.extend(f"{name}: {value}" for name, value in request_headers.items())
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass(frozen=True)
class Operation:
    """Something that clients do again and again."""

    name: str
    create_script: Callable[[Client], Script]
    writes: bool = False
    """Whether it changes or uses up tasks of the user."""


def _list_tasks(limit: int) -> Operation:
    def create_script(client: Client) -> Script:
        def next_request(_: bytes) -> bytes:
            return client.request("GET", f"/tasks?limit={limit}")

        return next_request

    return Operation(f"list of {limit}", create_script)


def _get_task(client: Client) -> Script:
    task_ids = list(client.user.task_versions)

    def next_request(_: bytes) -> bytes:
        return client.request("GET", f"/tasks/{random.choice(task_ids)}")

    return next_request


def _create_task(client: Client) -> Script:
    def next_request(_: bytes) -> bytes:
        return client.request("POST", "/tasks", {"title": "Water the plants"})

    return next_request


def _create_task_with_key(client: Client) -> Script:
    def next_request(_: bytes) -> bytes:
        headers = {"Idempotency-Key": str(uuid4())}
        return client.request("POST", "/tasks", {"title": "Water the plants"}, headers)

    return next_request


def _change_task(client: Client) -> Script:
    """Change a task of this client again and again, with the version of the response before."""
    task_id, version = client.user.task_versions.popitem()
    numbers = count()

    def next_request(response: bytes) -> bytes:
        new_version = _VERSION.search(response)
        if_match = f'"{version}"'
        if new_version:
            if_match = f'"{int(new_version[1])}"'
        body = {"title": f"Water the plants {next(numbers)}"}
        return client.request("PATCH", f"/tasks/{task_id}", body, {"If-Match": if_match})

    return next_request


def _delete_task(client: Client) -> Script:
    def next_request(_: bytes) -> bytes:
        task_id, _version = client.user.task_versions.popitem()
        return client.request("DELETE", f"/tasks/{task_id}")

    return next_request


def _decide(client: Client) -> Script:
    def next_request(_: bytes) -> bytes:
        return client.request("GET", "/decide")

    return next_request


OPERATIONS: Final = (
    _list_tasks(20),
    _list_tasks(50),
    Operation("get", _get_task),
    Operation("create", _create_task, writes=True),
    Operation("create with key", _create_task_with_key, writes=True),
    Operation("change with tag", _change_task, writes=True),
    Operation("delete", _delete_task, writes=True),
)
"""Measured on every topology."""

DECISION: Final = Operation("decide", _decide)
"""The request that the edge sends to the gateway for each request of a client."""
