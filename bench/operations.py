"""What is asked for, in the same bytes wherever it is asked."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final
from uuid import uuid4

from bench.load import Script
from bench.people import Owner

_VERSION: Final = re.compile(rb'"version": ?(\d+)')


@dataclass(frozen=True)
class Client:
    """One client of an owner; `identity` is what its requests say about that."""

    owner: Owner
    identity: dict[str, str]

    def request(
        self, verb: str, path: str, body: dict[str, object] | None = None, **headers: str
    ) -> bytes:
        """Write a request down."""
        content = json.dumps(body).encode() if body else b""
        described = (
            {"Content-Type": "application/json", "Content-Length": str(len(content))}
            if body
            else {}
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {
            "Host": "bench",
            "Accept": "*/*",
            "User-Agent": "bench",
            **self.identity,
            **described,
            **named,
        }
        lines = [
            f"{verb} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in sent.items()),
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + content


@dataclass(frozen=True)
class Operation:
    """Something that clients do over and over; `writes` says that the owner's tasks are used up by it."""

    name: str
    script: Callable[[Client], Script]
    writes: bool = False


def _always(request: Callable[[Client], bytes]) -> Callable[[Client], Script]:
    return lambda client: lambda _: request(client)


def _get(client: Client) -> Script:
    tasks = list(client.owner.tasks)
    return lambda _: client.request("GET", f"/tasks/{random.choice(tasks)}")


def _create(client: Client) -> bytes:
    return client.request("POST", "/tasks", {"title": "Water the plants"})


def _create_once(client: Client) -> bytes:
    return client.request(
        "POST", "/tasks", {"title": "Water the plants"}, Idempotency_Key=str(uuid4())
    )


def _change(client: Client) -> Script:
    """Change a task of this client's own again and again, each time the version that came of the last time."""
    (task, first), numbers = client.owner.tasks.popitem(), count()

    def change(answer: bytes) -> bytes:
        found, title = _VERSION.search(answer), f"Water the plants {next(numbers)}"
        tag = f'"{int(found[1]) if found else first}"'
        return client.request("PATCH", f"/tasks/{task}", {"title": title}, If_Match=tag)

    return change


def _delete(client: Client) -> bytes:
    return client.request("DELETE", f"/tasks/{client.owner.tasks.popitem()[0]}")


def _list(length: int) -> Operation:
    return Operation(
        f"list of {length}", _always(lambda client: client.request("GET", f"/tasks?limit={length}"))
    )


OPERATIONS: Final = (
    _list(20),
    _list(50),
    Operation("get", _get),
    Operation("create", _always(_create), writes=True),
    Operation("create with key", _always(_create_once), writes=True),
    Operation("change with tag", _change, writes=True),
    Operation("delete", _always(_delete), writes=True),
)
"""What is measured on every way through the platform."""

DECISION: Final = Operation("decide", _always(lambda client: client.request("GET", "/decide")))
"""What the edge asks the gateway about each request."""
