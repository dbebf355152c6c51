"""No conformance case may go missing: each of the 35 has a test by its name, each is driven, each drive is judged.

The tests themselves run with `make test-clients`; what is read here are their files.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

CLIENTS: Final = Path(__file__).parents[1] / "clients"
CASES: Final = {
    1: "connect", 2: "startup sync", 3: "a market order", 4: "place, modify, cancel", 5: "no field is left over",
    6: "contract details", 7: "client id in use", 8: "who sees which order", 9: "cancel another client's order",
    10: "executions after a reconnect", 11: "completed orders", 12: "partial fills", 13: "rejections",
    14: "cancels in vain", 15: "market data", 16: "a line too many", 17: "historical data",
    18: "historical data that there is not", 19: "small questions", 20: "account", 21: "positions", 22: "what-if",
    23: "a roll order", 24: "the adaptive algorithm", 25: "brackets, one cancels all", 26: "too many messages",
    27: "bursts of 4096 bytes", 28: "text outside ASCII", 29: "sizes", 30: "styles of execution times",
    31: "a restart", 32: "midnight", 33: "read only", 34: "the last version of text", 35: "garbage hello"}


def functions(pattern: str) -> Iterator[ast.FunctionDef]:
    """The functions at the top of the files that `pattern` names."""
    for path in sorted(CLIENTS.glob(pattern)):
        yield from (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


TESTS: Final = [node.name for node in functions("test_*.py")]
DRIVEN: Final = [node.name for node in functions("drivers/cases_*.py")
                 if node.name.startswith("c") and node.name[1:3].isdigit()]


def test_the_cases_are_numbered_without_a_gap() -> None:
    assert list(CASES) == list(range(1, 36))


@pytest.mark.parametrize("number", CASES, ids=[f"C{number} {name}" for number, name in CASES.items()])
def test_every_case_has_a_test_by_its_name(number: int) -> None:
    assert [name for name in TESTS if name.startswith(f"test_c{number:02d}_")], f"no test of C{number}"


@pytest.mark.parametrize("case", DRIVEN)
def test_every_case_that_is_driven_is_judged(case: str) -> None:
    texts = {node.value for path in CLIENTS.glob("test_*.py") for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Constant)}
    assert case in texts


def test_no_test_of_a_client_is_left_out() -> None:
    words = ("skip", "skipif", "xfail")
    found = [node.attr for path in CLIENTS.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Attribute) and node.attr in words]
    assert found == []


def test_what_a_library_cannot_express_is_driven_by_the_others() -> None:
    table = ast.parse((CLIENTS / "client_table.py").read_text())
    excused, = (ast.literal_eval(node.value) for node in table.body if isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name) and node.target.id == "ONLY_OFFICIAL" and node.value)
    assert set(excused) <= set(DRIVEN)
