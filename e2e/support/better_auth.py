"""A real Better Auth server (`deploy/better-auth`) and the people who have an account at it."""

import asyncio
import json
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import unquote

import httpx
import jwt

from devkit.platform.processes import POLL_SECONDS, Process, ProcessGroup
from e2e.support.npm import install, program

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "better-auth"

PUBLIC_URL: Final = "http://auth.example.test"
"""What tokens name as their issuer; in containers, too, keys are fetched from another address than this one."""


@dataclass(frozen=True)
class Account:
    """Somebody who is signed in: a client with the session's cookies."""

    client: httpx.AsyncClient
    user_id: str
    email: str
    password: str
    session_token: str
    signed_session_token: str
    """The same from the header `set-auth-token`, for front ends without cookies."""

    async def token(self) -> str:
        """Fetch a token as front ends do."""
        answer = await self.client.get("/api/auth/token")
        return str(answer.raise_for_status().json()["token"])

    async def token_beside_session(self) -> str:
        """Fetch the token that comes with every look at the session."""
        answer = await self.client.get("/api/auth/get-session")
        return answer.raise_for_status().headers["set-auth-jwt"]

    async def token_of_next_key(self) -> str:
        """Wait until the server has rotated its key, and fetch a token signed with the new one."""
        old_key = key_id(await self.token())
        while True:
            token = await self.token()
            if key_id(token) != old_key:
                return token
            await asyncio.sleep(POLL_SECONDS)

    def cookie(self, name: str) -> str:
        """Return a cookie of the session as a server would see it: `session_token`, or `session_data` (its cache)."""
        return unquote(self.client.cookies[f"better-auth.{name}"])

    async def change_email(self, email: str) -> None:
        """Ask for another address; the server answers with a mail."""
        (
            await self.client.post("/api/auth/change-email", json={"newEmail": email})
        ).raise_for_status()


@dataclass(frozen=True)
class BetterAuth:
    """A running server; its secret is needed by whoever verifies what it signs with it."""

    process: Process
    address: str
    secret: str
    clients: AsyncExitStack
    """Closes the connections of everybody who signs in."""

    @property
    def keys_url(self) -> str:
        """Say where the public keys are."""
        return f"{self.address}/api/auth/jwks"

    def mailed(self, email: str) -> str:
        """Return the token of the last link that was sent to this address."""
        return [mail["token"] for mail in _lines(self.process, "mail") if mail["to"] == email][-1]

    async def until_withdrawn(self, token: str) -> None:
        """Wait until the key of this token is no longer published."""
        async with httpx.AsyncClient() as client:
            while True:
                keys = (await client.get(self.keys_url)).raise_for_status().json()["keys"]
                if key_id(token) not in {key["kid"] for key in keys}:
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def follow(self, account: Account, link_token: str) -> None:
        """Open a link of a mail in the account's browser."""
        answer = await account.client.get("/api/auth/verify-email", params={"token": link_token})
        answer.raise_for_status()

    async def sign_up(self) -> Account:
        """Make an account with a fresh address, signed in."""
        email, password = f"{token_hex(8)}@example.test", token_hex(16)
        return await self._account(email, password, "/api/auth/sign-up/email", {"name": "Ada"})

    async def sign_in(self, account: Account) -> Account:
        """Sign in once more, as if in another browser."""
        return await self._account(account.email, account.password, "/api/auth/sign-in/email", {})

    async def _account(self, email: str, password: str, path: str, more: dict[str, str]) -> Account:
        browser = httpx.AsyncClient(base_url=self.address, headers={"Origin": PUBLIC_URL})
        client = await self.clients.enter_async_context(browser)
        answer = await client.post(path, json={"email": email, "password": password, **more})
        said, signed = answer.raise_for_status().json(), answer.headers["set-auth-token"]
        return Account(client, said["user"]["id"], email, password, said["token"], signed)


def key_id(token: str) -> str:
    """Say which key has signed a token."""
    return str(jwt.get_unverified_header(token)["kid"])


async def start_better_auth(
    group: ProcessGroup, clients: AsyncExitStack, **environment: str
) -> BetterAuth:
    """Start a server on a free port; `environment` as in its README."""
    await install(group, FOLDER)
    settings = {"BETTER_AUTH_URL": PUBLIC_URL, "BETTER_AUTH_SECRET": token_hex(32), "PORT": "0"}
    settings |= {
        "PATH": os.environ["PATH"],
        "RATE_LIMIT": "off",
        "MAIL_LINKS": "log",
        **environment,
    }
    process = group.start(
        f"better-auth-{token_hex(4)}", [program("node"), FOLDER / "server.mjs"], settings
    )

    async def is_started() -> bool:
        return bool(_lines(process, "started"))

    await process.wait_until(is_started)
    port = _lines(process, "started")[0]["port"]
    return BetterAuth(process, f"http://127.0.0.1:{port}", settings["BETTER_AUTH_SECRET"], clients)


def _lines(process: Process, message: str) -> list[dict[str, str]]:
    lines = [
        json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")
    ]
    return [line for line in lines if line["message"] == message]
