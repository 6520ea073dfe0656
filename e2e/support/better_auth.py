"""A real Better Auth server (`deploy/better-auth`), and browsers that are signed in at it."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from secrets import token_hex
from typing import Final
from urllib.parse import unquote

import httpx
import jwt

from devkit.platform import better_auth
from devkit.platform.processes import POLL_SECONDS, Process, ProcessGroup

PUBLIC_URL: Final = "http://auth.example.test"
"""The issuer in tokens. It differs from the URL of the server, as in containers."""


@dataclass(frozen=True)
class SignedInUser:
    """A user of the Better Auth server, with a client that holds the cookies of one session."""

    client: httpx.AsyncClient
    user_id: str
    email: str
    password: str
    session_token: str

    signed_session_token: str
    """The session token of the header `set-auth-token`, for front ends without cookies."""

    async def fetch_token(self) -> str:
        """Return a JWT from the endpoint for tokens."""
        response = await self.client.get("/api/auth/token")
        return str(response.raise_for_status().json()["token"])

    async def fetch_session_jwt(self) -> str:
        """Return the JWT that comes in a header with the session."""
        response = await self.client.get("/api/auth/get-session")
        return response.raise_for_status().headers["set-auth-jwt"]

    async def fetch_token_of_next_key(self) -> str:
        """Wait until the server has rotated its key, and return a JWT that the new key signed."""
        old_key = key_id(await self.fetch_token())
        while True:
            token = await self.fetch_token()
            if key_id(token) != old_key:
                return token
            await asyncio.sleep(POLL_SECONDS)

    def cookie(self, name: str) -> str:
        """Return the decoded value of a cookie, such as `session_token` or `session_data`."""
        return unquote(self.client.cookies[f"better-auth.{name}"])

    async def change_email(self, email: str) -> None:
        """Request another e-mail address; the server sends a link by mail."""
        response = await self.client.post("/api/auth/change-email", json={"newEmail": email})
        response.raise_for_status()


@dataclass(frozen=True)
class BetterAuth:
    """A running server."""

    process: Process
    url: str
    secret: str
    clients: AsyncExitStack
    """Closes the clients of all signed-in users."""

    @property
    def keys_url(self) -> str:
        """The URL of the public keys."""
        return f"{self.url}/api/auth/jwks"

    def mailed_token(self, email: str) -> str:
        """Return the token in the newest link that was mailed to this address."""
        tokens = [
            record["token"]
            for record in _log_records(self.process, "mail")
            if record["to"] == email
        ]
        return tokens[-1]

    async def wait_for_key_withdrawal(self, token: str) -> None:
        """Wait until the key that signed this token is no longer published."""
        async with httpx.AsyncClient() as client:
            while True:
                response = await client.get(self.keys_url)
                keys = response.raise_for_status().json()["keys"]
                published_ids = {key["kid"] for key in keys}
                if key_id(token) not in published_ids:
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def open_mail_link(self, user: SignedInUser, link_token: str) -> None:
        """Open the link of a mail in the user's browser."""
        response = await user.client.get("/api/auth/verify-email", params={"token": link_token})
        response.raise_for_status()

    async def sign_up(self) -> SignedInUser:
        """Create a user with a new e-mail address."""
        email = f"{token_hex(8)}@example.test"
        password = token_hex(16)
        credentials = {"email": email, "password": password, "name": "Ada"}
        return await self._authenticate("/api/auth/sign-up/email", credentials)

    async def sign_in(self, user: SignedInUser) -> SignedInUser:
        """Sign in once more, as in another browser."""
        credentials = {"email": user.email, "password": user.password}
        return await self._authenticate("/api/auth/sign-in/email", credentials)

    async def _authenticate(self, path: str, credentials: dict[str, str]) -> SignedInUser:
        browser = httpx.AsyncClient(base_url=self.url, headers={"Origin": PUBLIC_URL})
        client = await self.clients.enter_async_context(browser)
        response = await client.post(path, json=credentials)
        session = response.raise_for_status().json()
        return SignedInUser(
            client=client,
            user_id=session["user"]["id"],
            email=credentials["email"],
            password=credentials["password"],
            session_token=session["token"],
            signed_session_token=response.headers["set-auth-token"],
        )


def key_id(token: str) -> str:
    """Return the id of the key that signed a token."""
    return str(jwt.get_unverified_header(token)["kid"])


async def start_better_auth(
    group: ProcessGroup, clients: AsyncExitStack, **environment: str
) -> BetterAuth:
    """Start a server on a free port.

    Args:
        group: Stops the server when it ends.
        clients: Closes the clients of signed-in users when it ends.
        environment: Further settings as in the README of `deploy/better-auth`.
    """
    await better_auth.install_better_auth(group)
    settings = {
        "BETTER_AUTH_URL": PUBLIC_URL,
        "BETTER_AUTH_SECRET": token_hex(32),
        "RATE_LIMIT": "off",
        "MAIL_LINKS": "log",
    }
    settings |= environment
    server = better_auth.start_better_auth(group, settings, name=f"better-auth-{token_hex(4)}")
    await server.wait_until_ready()
    return BetterAuth(server.process, server.url, settings["BETTER_AUTH_SECRET"], clients)


def _log_records(process: Process, message: str) -> list[dict[str, str]]:
    records: list[dict[str, str]] = []
    for line in process.log_lines():
        if line.startswith("{"):
            record = json.loads(line)
            if record["message"] == message:
                records.append(record)
    return records
