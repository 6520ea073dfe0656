"""How a connection of the pool is opened: checked, and told whether it prepares statements."""

import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from psycopg import OperationalError

from common.database.checks import DatabaseChecks
from common.database.connect_times import ConnectTimes
from common.database.connection import Connection, connection_lost
from common.database.prepared_statements import PreparedStatements, find_pooler


class Connector:
    """Opens connections, and returns them if the checks succeed."""

    def __init__(self, checks: DatabaseChecks | None, prepared: PreparedStatements) -> None:
        self._checks = checks
        self._prepared = prepared
        self.connect_times = ConnectTimes()

    async def connect(self, *args: Any, **options: Any) -> Connection:  # noqa: ANN401 - the driver's
        """Open a connection with the arguments of psycopg's `connect`.

        Raises:
            psycopg.OperationalError: It cannot be opened; it is safe to try again.
            Unavailable: The database does not fit the release.
        """
        with self.connect_times.measure():
            return await self._connect(partial(_open, *args, autocommit=True, **options))

    async def _connect(self, open_connection: Callable[[], Awaitable[Connection]]) -> Connection:
        checks = self._checks
        if checks is None:
            connection = await open_connection()
            return await self._make_ready(connection)
        checks.open = open_connection
        try:
            connection = await open_connection()
        except OperationalError as error:
            checks.say_unreachable(error)
            raise
        await self._make_ready(connection)
        checks.say_reached()
        return connection

    async def _make_ready(self, connection: Connection) -> Connection:
        """Check the connection and choose whether it prepares; close it if that fails."""
        try:
            if self._checks is not None:
                connection.check = partial(self._checks.require_usable, connection)
                await connection.check()
            await self._choose_preparation(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _choose_preparation(self, connection: Connection) -> None:
        if self._prepared == "on":
            return
        if self._prepared == "off":
            connection.prepare_threshold = None
            return
        try:
            finding = await find_pooler(connection)
        except OperationalError as error:
            raise connection_lost(error, connection) from error
        if not finding.prepares:
            connection.prepare_threshold = None
        if self._checks is not None:
            self._checks.say_prepared(finding)


async def _open(*args: Any, **options: Any) -> Connection:  # noqa: ANN401 - the driver's
    """Open a connection; if that fails or is cancelled, nothing of it stays open.

    The driver's half-open connection is a variable of its frames, which the error's traceback keeps
    alive: until the next garbage collection it would take a session of the server.
    """
    try:
        return await Connection.connect(*args, **options)
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)
        raise
