"""A report: a title and tables. Rendered as text that lines up and as one self-contained html page. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import jinja2
import pandas as pd

_TEMPLATES: Final = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
                                       trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table with its heading; `note` stands below it, or instead of it when it is empty.

    `picture` is an SVG element of our own (trading.reports.pictures), for pages only.
    """

    heading: str
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    note: str = ""
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one report says about one trading day, or, if `about` says so, about something else."""

    name: str
    title: str
    day: str
    sections: tuple[Section, ...]
    about: str = "Trading day"


def as_text(report: Report) -> str:
    """For terminals and mail: numbers to the right, words to the left."""
    lines = [f"{report.title}, {report.day}", "=" * (len(report.title) + len(report.day) + 2), ""]
    for section in report.sections:
        if section.table.empty and not section.note:
            continue  # a picture, which a terminal does not show
        lines += [section.heading, "-" * len(section.heading)]
        if not section.table.empty:
            lines += _rows(section.table)
        if section.note:
            lines.append(section.note)
        lines.append("")
    return "\n".join(lines)


def as_html(report: Report) -> str:
    """For browsers: no script, no outside resource, readable on a telephone and in the dark."""
    sections = [{"heading": section.heading, "note": section.note, "picture": section.picture,
                 "columns": list(section.table.columns),
                 "numeric": [_is_numeric(section.table[name]) for name in section.table.columns],
                 "rows": [[cell(value) for value in row] for row in section.table.itertuples(index=False)]}
                for section in report.sections]
    return _TEMPLATES.get_template("report.html").render(report=report, sections=sections)


def cell(value: object) -> str:
    """One value as a person reads it."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, Decimal):  # a price: every digit counts
        return f"{value:,f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def price_cell(price: float) -> Decimal | None:
    """A computed price with eight significant digits; None when it is not known."""
    return None if pd.isna(price) else Decimal(f"{price:.8g}")


def _is_numeric(column: pd.Series) -> bool:
    return all(isinstance(value, (int, float, Decimal)) or value is None for value in column)


def _rows(table: pd.DataFrame) -> list[str]:
    columns = [[str(name), *(cell(value) for value in table[name])] for name in table.columns]
    right = [_is_numeric(table[name]) for name in table.columns]
    widths = [max(map(len, column)) for column in columns]
    return ["  ".join(text.rjust(width) if number else text.ljust(width)
                      for text, width, number in zip(line, widths, right, strict=True)).rstrip()
            for line in zip(*columns, strict=True)]
