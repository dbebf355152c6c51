"""Leaving an instrument: exactly what is held of each contract is closed, and nobody trades with himself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.data.trading_desk.closing_lots import closing_lots

LOTS = st.integers(-20, 20)


@pytest.mark.parametrize(("strategies", "contracts", "lots", "settled"), [
    ({"s": 5}, {"M": 5}, {("s", "M"): 5}, {}),
    ({"s": -5}, {"M": -2, "U": -3}, {("s", "M"): -2, ("s", "U"): -3}, {}),
    ({"s": 5, "t": 2}, {"M": 7}, {("s", "M"): 5, ("t", "M"): 2}, {}),
    ({"s": 5, "t": -2}, {"M": 3}, {("s", "M"): 3}, {"s": -2, "t": 2}),
    ({"s": 2, "t": -2}, {}, {}, {"s": -2, "t": 2}),
    ({"s": 1}, {"M": 4, "U": -3}, {("s", "M"): 4, ("s", "U"): -3}, {}),
    ({"s": 5}, {}, {("s", None): 5}, {}),
    ({}, {"M": 4}, {}, {}),
    ({}, {}, {}, {})])
def test_positions_are_closed_contract_by_contract(strategies: dict[str, int], contracts: dict[str, int],
                                                   lots: dict[tuple[str, str | None], int],
                                                   settled: dict[str, int]) -> None:
    found = closing_lots(strategies, contracts)
    assert (found.lots, found.settled) == (lots, settled)


@given(contracts=st.dictionaries(st.sampled_from("HMUZ"), LOTS.filter(bool), max_size=4),
       parts=st.lists(LOTS, min_size=1, max_size=4))
def test_both_sides_of_the_books_are_flat_afterwards(contracts: dict[str, int], parts: list[int]) -> None:
    # given strategies that hold together what the account holds
    strategies = {f"s{number}": lots for number, lots in enumerate(parts)}
    strategies["s0"] += sum(contracts.values()) - sum(parts)

    # when it is left
    found = closing_lots(strategies, contracts)

    # then each contract is closed to the lot, on its own side, and each strategy is flat
    for contract, held in contracts.items():
        closed = [lots for (_, key), lots in found.lots.items() if key == contract]
        assert sum(closed) == held
    for name, held in strategies.items():
        closed_here = sum(lots for (whose, _), lots in found.lots.items() if whose == name)
        assert held + found.settled.get(name, 0) == closed_here
    assert sum(found.settled.values()) == 0


@given(contracts=st.dictionaries(st.sampled_from("HMUZ"), st.integers(1, 20), min_size=1, max_size=4), lots=LOTS)
def test_in_a_contract_all_orders_are_of_one_side(contracts: dict[str, int], lots: int) -> None:
    strategies = {"s": sum(contracts.values()) - lots, "t": lots}
    found = closing_lots(strategies, contracts)
    assert all(each > 0 for each in found.lots.values())
