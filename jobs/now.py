"""The database's clock, with as many digits as Django writes and compares with."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import functions
from django.db.models.sql.compiler import SQLCompiler

SQLITE = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f000', 'NOW')"
"""SQLite knows milliseconds, and compares times as text: without the three noughts a time would be before itself."""


class Now(functions.Now):  # noqa: TID251  it is the one that others are to use
    """`django.db.models.functions.Now`, that on SQLite is written as Django writes other times."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template=SQLITE.replace("%%", "%%%%"), **extra_context)
