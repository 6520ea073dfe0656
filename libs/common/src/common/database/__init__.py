"""PostgreSQL: connections, statements, checks of the database before a service uses it.

A service opens one engine (`engine_lifespan`) and runs statements with the functions exported
here. Each statement is its own transaction and costs one round trip, unless it runs in
`open_transaction`. From the outside in:

| Modules | What they do |
|---|---|
| `execution`, `row_stream`, `transaction` | run statements, which `statements` compiles |
| `engine`, `pool` | keep connections, and say whether the database is ready |
| `connector` | opens a connection: checked, timed (`connect_times`), and told whether to prepare |
| `connection`, `prepared_statements` | the driver's connection, with what the driver lacks |
| `checks`, `release`, `history` | whether the database fits the release, and was restored |
| `url`, `unreachable` | sentences about URLs and connections that do not work |
| `schema` | what the tables of all services have in common |
"""

from common.database.engine import check_database, engine_lifespan
from common.database.execution import fetch_all, fetch_one
from common.database.pool import Database, LimitedDatabase
from common.database.row_stream import RowStream, open_stream
from common.database.statements import Row
from common.database.transaction import Transaction, open_transaction

__all__ = [
    "Database",
    "LimitedDatabase",
    "Row",
    "RowStream",
    "Transaction",
    "check_database",
    "engine_lifespan",
    "fetch_all",
    "fetch_one",
    "open_stream",
    "open_transaction",
]
