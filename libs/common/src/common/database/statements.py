"""SQLAlchemy statements, compiled once into the text and the values that the driver sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, cast

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler

DIALECT: Final = postgresql.psycopg.dialect(paramstyle="numeric_dollar")
"""Numbers parameters as PostgreSQL does (`$1`), so that the driver need not parse every text."""

COMPILED_MAX: Final = 1_024
"""Compiled statements in the cache. Not all can be kept: each combination of filters is one."""

Row: TypeAlias = Mapping[str, object]
"""A row that a statement returns, or the parameters that it takes, by name."""


@dataclass(frozen=True, slots=True)
class _CompiledStatement:
    text: bytes
    parameter_names: list[str]
    """The name of each parameter, in the order of their numbers."""

    literals: Row
    """Values that are part of the statement itself."""


@dataclass(frozen=True, slots=True)
class BoundStatement:
    """A statement as the database gets it."""

    text: bytes
    values: list[object]


def bind(statement: Executable, parameters: Row) -> BoundStatement:
    """Put a statement and its parameters together.

    Raises:
        KeyError: A parameter is missing.
    """
    compiled = _compile(statement)
    values: list[object] = []
    for name in compiled.parameter_names:
        if name in parameters:
            values.append(parameters[name])
        else:
            values.append(compiled.literals[name])
    return BoundStatement(compiled.text, values)


def merge_parameters(parameters: Row | None, named: Row) -> Row:
    """Return the parameters that a call gives as a mapping and those that it gives by name."""
    if not parameters:
        return named
    if not named:
        return parameters
    merged = dict(parameters)
    merged.update(named)
    return merged


@lru_cache(maxsize=COMPILED_MAX)
def _compile(statement: Executable) -> _CompiledStatement:
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=DIALECT))
    literals: dict[str, object] = {}
    for parameter, name in compiled.bind_names.items():
        if not parameter.required:
            literals[name] = parameter.value
    return _CompiledStatement(compiled.string.encode(), compiled.positiontup or [], literals)
