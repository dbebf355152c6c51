"""Rows that are read again: what has not changed is not taken apart again, and what has is never taken for the same."""

from typing import Any

import pytest

from trading.data.mongo.understood import MOST, Understood


@pytest.fixture
def read() -> list[dict[str, Any]]:
    """The rows that were taken apart."""
    return []


@pytest.fixture
def understood(read: list[dict[str, Any]]) -> Understood[str]:
    def text(row: dict[str, Any]) -> str:
        read.append(row)
        return str(row["legs"][0]["lots"])

    return Understood(text)


def row(name: str = "a", lots: int = 1) -> dict[str, Any]:
    return {"_id": name, "v": 1, "legs": [{"lots": lots}]}


def test_an_equal_row_is_taken_apart_once(understood: Understood[str], read: list[dict[str, Any]]) -> None:
    assert [understood(row()), understood(row()), understood(row("b"))] == ["1", "1", "1"]
    assert len(read) == 2


def test_a_row_that_differs_anywhere_is_read_anew_also_under_its_old_version(understood: Understood[str]) -> None:
    assert [understood(row()), understood(row(lots=2)), understood(row())] == ["1", "2", "1"]


def test_a_row_that_cannot_be_read_is_told_each_time(understood: Understood[str]) -> None:
    for _ in range(2):
        with pytest.raises(KeyError):
            understood({"_id": "a"})


def test_no_more_is_kept_than_is_ever_open(understood: Understood[str], read: list[dict[str, Any]]) -> None:
    for number in range(MOST + 1):
        understood(row(str(number)))
    assert understood(row("0")) == "1"
    assert len(read) == MOST + 2
