"""Reports as text and as html: numbers line up, nothing breaks the page, nothing comes from outside."""

import re

import pandas as pd
import pytest

from trading.reports.report import Report, Section, as_html, as_text, cell


def a_report(table: pd.DataFrame, note: str = "") -> Report:
    return Report(name="trades", title="Trades", day="2026-03-02",
                  sections=(Section(heading="Fills", table=table, note=note),))


TABLE = pd.DataFrame([{"contract": "SP500/20260600", "lots": 5, "price": 4350.125},
                      {"contract": "V2X", "lots": -12, "price": -0.5}])


@pytest.mark.parametrize(("value", "text"), [
    (None, "-"), (float("nan"), "-"), (0.0, "0.00"), (999.994, "999.99"), (1234.5, "1,234"), (-1234567.8, "-1,234,568"),
    (5, "5"), (1234567, "1,234,567"), (True, "True"), ("text", "text"), ("", "")])
def test_a_value_reads_as_a_person_writes_it(value: object, text: str) -> None:
    assert cell(value) == text


def test_text_lines_up() -> None:
    assert as_text(a_report(TABLE, "Two fills.")).splitlines() == [
        "Trades, 2026-03-02", "==================", "", "Fills", "-----",
        "contract        lots  price",
        "SP500/20260600     5  4,350",
        "V2X              -12  -0.50",
        "Two fills.", ""][:9]


def test_an_empty_table_leaves_its_note() -> None:
    text = as_text(a_report(pd.DataFrame(), "Nothing was traded."))
    assert "Nothing was traded." in text
    assert "contract" not in text


def test_html_escapes_what_was_stored() -> None:
    page = as_html(a_report(pd.DataFrame([{"<b>": "<script>alert(1)</script>"}]), "<i>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;i&gt;" in page


def test_html_needs_nothing_from_outside() -> None:
    page = as_html(a_report(TABLE))
    assert re.findall(r"(?:src|href)\s*=|https?://|@import|<script", page) == []
    assert "SP500/20260600" in page
    assert page.lstrip().lower().startswith("<!doctype html>")


def test_html_of_an_empty_report_is_a_page() -> None:
    assert "Nothing." in as_html(a_report(pd.DataFrame(), "Nothing."))
