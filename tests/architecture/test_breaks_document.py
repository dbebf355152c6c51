"""The table of breaks that an operator reads is the one that the program goes by."""

import re
from pathlib import Path

import pytest

from trading.execution.reconciliation.breaks import BREAKS, BreakId

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
SECTION = PAGE.partition("\n## Breaks\n")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (B\d+) \| (.+?) \| (.+?) \| (.+?) \|$", SECTION, re.MULTILINE)


def test_every_break_stands_in_the_table_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [each.value for each in BreakId]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_table_says_what_the_program_does(row: tuple[str, str, str, str]) -> None:
    rule = BREAKS[BreakId(row[0])]
    assert row[1:] == (rule.meaning, rule.action, rule.by_hand)
