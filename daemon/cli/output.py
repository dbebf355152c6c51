"""How tradectl prints: one JSON document with --json, else a table that lines up. Standard library only."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")


def print_json(values: Any) -> None:
    """One document, indented, keys in their order."""
    click.echo(json.dumps(values, indent=2, default=_plain))


def tell(values: dict[str, Any], sentence: str, as_json: bool) -> None:
    """The outcome of a command: one JSON document, or one sentence."""
    if as_json:
        print_json(values)
    else:
        click.echo(sentence)


def print_table(rows: Sequence[dict[str, Any]], columns: dict[str, str], empty: str) -> None:
    """A table with `columns` (key -> heading); numbers to the right; `empty` when there are no rows."""
    if not rows:
        click.echo(empty)
        return
    cells = [[_text(row.get(key)) for key in columns] for row in rows]
    numeric = [all(isinstance(row.get(key), (int, float, Decimal, type(None))) for row in rows) for key in columns]
    widths = [max(len(heading), *(len(line[i]) for line in cells)) for i, heading in enumerate(columns.values())]
    for line in (list(columns.values()), *cells):
        padded = [text.rjust(width) if right else text.ljust(width)
                  for text, width, right in zip(line, widths, numeric, strict=True)]
        click.echo("  ".join(padded).rstrip())


def local_time(iso: str | None, zone: str | None = None) -> str:
    """An instant as a person reads it: local date and time, no fraction."""
    if not iso:
        return "-"
    instant = datetime.fromisoformat(iso)
    if zone is not None:
        from zoneinfo import ZoneInfo

        instant = instant.astimezone(ZoneInfo(zone))
    return instant.strftime("%Y-%m-%d %H:%M:%S")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
