"""None of the sixty cases may go missing: each is in docs/order_chaos.md, and each test that it names exists."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
DOCUMENT: Final = (TESTS.parent / "docs" / "order_chaos.md").read_text()
LAYERS: Final = {"process": "end_to_end", "store": "contract", "pure": "unit"}
SHOWN, _, NOT_SHOWN = DOCUMENT.partition("## Not shown")
ROWS: Final = [[cell.strip() for cell in line.strip("|").split("|")] for line in SHOWN.splitlines()
               if line.startswith("| O")]
LEFT: Final = [[cell.strip() for cell in line.strip("|").split("|")] for line in NOT_SHOWN.splitlines()
               if line.startswith("| O")]


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


FILES: Final = {path.stem: path for path in TESTS.rglob("test_*.py")}


def named(row: list[str]) -> list[tuple[str, str]]:
    """The files and tests that a row names."""
    return re.findall(r"`(test_\w+): (test_\w+)`", row[4])


def test_all_sixty_cases_are_shown_or_said_not_to_be() -> None:
    said = {case for row in (*ROWS, *LEFT) for case in re.findall(r"O\d+", row[0])}
    assert sorted(said, key=lambda case: int(case[1:])) == [f"O{number}" for number in range(1, 61)]
    assert len(ROWS) == len({row[0] for row in ROWS})


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_case_names_tests_that_exist_at_its_layers(row: list[str]) -> None:
    tests = named(row)
    assert tests
    assert [(stem, name) for stem, name in tests if name not in functions_of(FILES[stem])] == []
    rooms = {FILES[stem].relative_to(TESTS).parts[0] for stem, _ in tests}
    assert rooms == {LAYERS[layer] for layer in row[3].split(", ")}


@pytest.mark.parametrize("row", LEFT, ids=[row[0] for row in LEFT])
def test_what_is_not_shown_has_its_reason(row: list[str]) -> None:
    assert all(len(cell) > 10 for cell in row[1:])


def test_no_case_is_left_out_by_its_test() -> None:
    words = ("skip", "skipif", "xfail")
    files = {FILES[stem] for row in ROWS for stem, _ in named(row) if "broker_chaos" in str(FILES[stem])}
    found = [f"{path.name}: {node.attr}" for path in files for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Attribute) and node.attr in words]
    assert found == []
