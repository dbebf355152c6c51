"""Contracts and delivery months: written one way, read in several, ordered by time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.contracts import MONTH_LETTERS, Contract, DeliveryMonth

MONTHS = st.builds(DeliveryMonth, st.integers(1970, 2099), st.integers(1, 12))


@given(MONTHS)
def test_what_is_written_is_read_back(month: DeliveryMonth) -> None:
    assert DeliveryMonth.parse(str(month)) == month


@given(MONTHS, MONTHS)
def test_months_order_as_their_texts_do(a: DeliveryMonth, b: DeliveryMonth) -> None:
    assert (a < b) == (str(a) < str(b))


@given(MONTHS, st.integers(0, 300), st.integers(0, 300))
def test_shifting_adds_up(month: DeliveryMonth, a: int, b: int) -> None:
    assert month.shifted(a).shifted(b) == month.shifted(a + b)


@given(MONTHS, st.integers(1, 300))
def test_a_later_month_is_later(month: DeliveryMonth, months: int) -> None:
    assert month < month.shifted(months)


def test_each_month_has_its_letter() -> None:
    assert "".join(DeliveryMonth(2026, number).letter for number in range(1, 13)) == MONTH_LETTERS == "FGHJKMNQUVXZ"


@pytest.mark.parametrize(("offset", "expiry"), [(0, date(2021, 12, 1)), (14, date(2021, 12, 15)),
                                                (-11, date(2021, 11, 20))])
def test_an_expiry_is_counted_from_the_first_of_the_month(offset: int, expiry: date) -> None:
    assert DeliveryMonth(2021, 12).approximate_expiry(offset) == expiry


@pytest.mark.parametrize("text", ["SP500", "20211200", "", "/20211200"])
def test_a_key_without_an_instrument_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is no contract; expected INSTRUMENT/YYYYMM00, for example SP500/20211200"):
        Contract.parse(text)


def test_an_instrument_may_have_a_slash_in_its_name() -> None:
    assert Contract.parse("A/B/20211200") == Contract.of("A/B", "202112")


def test_contracts_order_by_instrument_then_time() -> None:
    keys = ["US10/20210900", "SP500/20220300", "SP500/20211200"]
    assert [contract.key for contract in sorted(map(Contract.parse, keys))] == keys[::-1]
