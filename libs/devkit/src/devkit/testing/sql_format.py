"""Formats the SQL of a statement so that a reviewer can read it."""

import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, TypeAlias, cast

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.parsers.postgres import PostgresParser

from common.database.statements import DIALECT

TEXT_WIDTH_MAX: Final = 88
"""Characters that the arguments of a function or a list may have on one line."""

_PARAMETER = re.compile(r"\$(\d+)")
_PLAIN_VALUES = (int, float, bool)


_FunctionParsers: TypeAlias = dict[str, Callable[..., object]]
_INHERITED_PARSERS = cast(
    "_FunctionParsers",
    PostgresParser.FUNCTION_PARSERS,  # pyright: ignore[reportUnknownMemberType] - sqlglot's type
)


class _ReadableGenerator(PostgresGenerator):
    """Writes parameters by name, short parts on one line, and long clauses on their own lines."""

    def placeholder_sql(self, expression: exp.Placeholder) -> str:
        return f":{expression.name}"

    def any_sql(self, expression: exp.Any) -> str:
        return f"ANY ({self._one_line_or_block(_inside(expression))})"

    def paren_sql(self, expression: exp.Paren) -> str:
        return f"({self._one_line_or_block(expression.this)})"

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        if isinstance(expression.this, exp.Placeholder | exp.Literal | exp.Null):
            return f"{self.sql(expression, 'this')}::{self.sql(expression, 'to')}"
        return super().cast_sql(expression, safe_prefix)

    def case_sql(self, expression: exp.Case) -> str:
        subject = self.sql(expression, "this")
        branches = [
            f"WHEN {self.sql(branch, 'this')} THEN {self.sql(branch, 'true')}"
            for branch in expression.args["ifs"]
        ]
        default = self.sql(expression, "default")
        if default:
            branches.append(f"ELSE {default}")
        start = f"CASE {subject}".rstrip()
        if len("".join(branches)) > TEXT_WIDTH_MAX:
            body = "\n".join([start, *branches, "END"])
            return self.indent(body, skip_first=True, skip_last=True)
        return f"{start} {' '.join(branches)} END"

    def lock_sql(self, expression: exp.Lock) -> str:
        return self.seg(super().lock_sql(expression)).rstrip()

    def returning_sql(self, expression: exp.Returning) -> str:
        return f"{self.seg('RETURNING')}{self.sep()}{self.expressions(expression)}"

    def update_sql(self, expression: exp.Update) -> str:
        table = self.sql(expression, "this")
        assignments = self.expressions(expression)
        source = self.sql(expression, "from_")
        condition = self.sql(expression, "where")
        returning = self.sql(expression, "returning")
        return self.prepend_ctes(
            expression, f"UPDATE {table} SET\n{assignments}{source}{condition}{returning}"
        )

    def onconflict_sql(self, expression: exp.OnConflict) -> str:
        clause = "ON CONFLICT"
        constraint = self.sql(expression, "constraint")
        columns = self.expressions(expression, key="conflict_keys", flat=True)
        if constraint:
            clause = f"{clause} ON CONSTRAINT {constraint}"
        if columns:
            clause = f"{clause} ({columns})"
        clause = f"{clause} {self.sql(expression, 'action')}"
        assignments = self.expressions(expression)
        if assignments:
            clause = f"{clause} SET\n{assignments}"
        return f"\n{clause}{self.sql(expression, 'where')}"

    def tablealias_sql(self, expression: exp.TableAlias) -> str:
        columns = self.expressions(expression, key="columns", flat=True)
        if len(columns) <= TEXT_WIDTH_MAX:
            return super().tablealias_sql(expression)
        alias = self.sql(expression, "this")
        block = self.expressions(expression, key="columns")
        return f"{alias}(\n{block}\n)"

    def _one_line_or_block(self, expression: exp.Expr) -> str:
        sql = self.sql(expression)
        if "\n" not in sql and len(sql) <= TEXT_WIDTH_MAX:
            return sql
        return f"\n{self.indent(sql)}\n"


def _inside(expression: exp.Any) -> exp.Expr:
    inner = expression.this
    if isinstance(inner, exp.Paren):
        return inner.this
    return inner


class _PostgresAsWritten(Postgres):
    """PostgreSQL, but each function keeps the name and the arguments that the statement has."""

    class Parser(PostgresParser):
        FUNCTIONS: ClassVar[_FunctionParsers] = {}
        FUNCTION_PARSERS: ClassVar[_FunctionParsers] = {
            "CAST": _INHERITED_PARSERS["CAST"],
            "EXTRACT": _INHERITED_PARSERS["EXTRACT"],
        }

    Generator = _ReadableGenerator


def format_statement(statement: Executable) -> str:
    """Compile a statement as the service does, and return it as formatted text.

    Parameters that are sent with each execution are written as `:name`. Constants that SQLAlchemy
    sends as parameters are written as literals inside their cast, such as `CAST(2 AS INT)`.
    """
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=DIALECT))
    constants: dict[str, object] = {
        name: parameter.value
        for parameter, name in compiled.bind_names.items()
        if not parameter.required
    }
    sql = _name_parameters(compiled.string, compiled.positiontup or [], constants)
    dialect = _PostgresAsWritten()
    tree = dialect.parse(sql)[0]
    if tree is None:
        raise ValueError(sql)
    formatted = dialect.generate(
        tree.transform(_without_needless_alias),
        pretty=True,
        normalize_functions=False,
        max_text_width=TEXT_WIDTH_MAX,
    )
    lines = [line.rstrip() for line in formatted.splitlines()]
    return "\n".join(lines) + ";\n"


def _name_parameters(sql: str, names: list[str], constants: Mapping[str, object]) -> str:
    def replace(match: re.Match[str]) -> str:
        name = names[int(match[1]) - 1]
        if name not in constants:
            return f":{name}"
        return _literal(constants[name])

    return _PARAMETER.sub(replace, sql)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, _PLAIN_VALUES):
        return str(value)
    text = str(value).replace("'", "''")
    return f"'{text}'"


def _without_needless_alias(node: exp.Expr) -> exp.Expr:
    """Write `tasks.id AS id` as `tasks.id`."""
    if isinstance(node, exp.Alias):
        column = node.this
        if isinstance(column, exp.Column) and column.name == node.alias:
            return column
    return node
