"""Reads that are composed and planned once, for the few that nearly every request makes.

Composing a query with several subqueries takes Django's ORM milliseconds, and PostgreSQL nearly as long to plan it; both come out the same
each time. A `Prepared` has Django compose it at its first run, and PostgreSQL plan it at its first run on each connection
(PREPARE, https://www.postgresql.org/docs/current/sql-prepare.html). What it finds is read anew by every run: nothing is kept but the plan.

A plan may be older than the table's statistics. PostgreSQL drops it when a table is analysed or altered; until then it is as right, and
perhaps slower.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import psycopg
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.models import BooleanField, Expression, Field, Func, Model, QuerySet, TextField
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)


class Parameter(Expression):
    """Stands in a query for a value that each run brings along: a text, unless `output_field` says otherwise."""

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field or TextField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class AnyOf(Func):
    """Whether the first is among the second, an array: one statement for lists of every length, as `__in` is not."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Prepared(Generic[Row]):
    """compose: the query, with a Parameter wherever runs differ. All other values are written into the statement: partial indexes are
    found only by what stands there.
    """

    def __init__(self, compose: "Callable[[], QuerySet[Row]]") -> None:
        self._compose = compose
        self._composed: _Composed | None = None

    def __call__(self, **values: Any) -> list[Row]:
        """What the query finds now. values: one for each Parameter, by its name."""
        composed = self._composed
        if composed is None:
            # Two threads that come first at a time compose the same.
            composed = self._composed = _composed(self._compose())
        with prepared_cursor() as cursor:
            cursor.execute(composed.statement, [values[name] for name in composed.names])
            return [composed.instance(row) for row in cursor.fetchall()]


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """A cursor whose statements are prepared. Django's own put values into the text, and each text would be a new statement."""
    connection.ensure_connection()
    raw = cast(Any, ServerBindingCursor)(connection.connection)
    with _LoggedCursor(raw, connection) if connection.queries_logged else connection.make_cursor(raw) as cursor:
        yield cursor


class _LoggedCursor(CursorDebugWrapper):
    """For tests that look at queries: the driver does not keep the text of a statement that it had prepared already."""

    def debug_sql(self, *args: Any, **options: Any) -> Any:
        return super().debug_sql(*args, **{**options, "use_last_executed_query": False})


@dataclass(frozen=True, slots=True)
class _Composed:
    """A statement, and how its rows become instances: what django.db.models.query.ModelIterable finds out for every query."""

    statement: str
    names: list[str]
    model: Any
    columns: slice
    attributes: list[str]
    annotations: list[tuple[str, int]]
    converters: list[tuple[int, list[Any], Any]]
    populators: list[Any]

    def instance(self, row: tuple[Any, ...]) -> Any:
        values = list(row)
        for position, converters, expression in self.converters:
            for convert in converters:
                values[position] = convert(values[position], expression, connection)
        found = self.model.from_db(connection.alias, self.attributes, values[self.columns])
        for name, position in self.annotations:
            setattr(found, name, values[position])
        for populator in self.populators:
            populator.populate(values, found)
        return found


def _composed(queryset: "QuerySet[Any]") -> _Composed:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    names = [parameter.name for parameter in parameters if isinstance(parameter, Parameter)]
    # "%%" stands for "%" until the values are in, and must still do so when the parameters come.
    statement = sql.replace("%%", "%%%%") % tuple(_in_statement(parameter) for parameter in parameters)
    fields = [column[0] for column in compiler.select]
    model_columns = compiler.klass_info["select_fields"]
    columns = slice(model_columns[0], model_columns[-1] + 1)
    return _Composed(
        statement=statement,
        names=names,
        model=compiler.klass_info["model"],
        columns=columns,
        attributes=[field.target.attname for field in fields[columns]],
        annotations=list((compiler.annotation_col_map or {}).items()),
        converters=[(position, *rest) for position, rest in compiler.get_converters(fields).items()],
        populators=cast(Any, get_related_populators)(compiler.klass_info, compiler.select, connection.alias),
    )


def _in_statement(parameter: object) -> str:
    if isinstance(parameter, Parameter):
        return "%s"
    return psycopg.sql.Literal(parameter).as_string(connection.connection).replace("%", "%%")
