"""Contract series are rebuilt from three columns, rates are found across currencies, and the future stays hidden."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from simulated_record import EURUSD, JPYUSD, NOON, ROLLS, a_market

from trading.broker.simulated.recorded_market import RecordedInstrument, RecordedMarket, contract_prints
from trading.errors import DataError
from trading.objects.contracts import DeliveryMonth
from trading.objects.instruments import BrokerInstrument, Instrument

INDEX = pd.DatetimeIndex(["2021-10-11 10:00", "2021-10-12 10:00", "2021-10-13 10:00"], tz="UTC")
DECEMBER = DeliveryMonth(2021, 12)


def recorded(magnifier: int = 1, **columns: list[object]) -> RecordedInstrument:
    nothing = {f"{name}{suffix}": [np.nan if suffix == "" else ""] * 3
               for name in ("PRICE", "CARRY", "FORWARD") for suffix in ("", "_CONTRACT")}
    return RecordedInstrument(
        instrument=Instrument(code="X", point_size=10, currency="USD"), rolls=ROLLS,
        broker=BrokerInstrument(code="X", symbol="X", exchange="E", currency="USD", price_magnifier=magnifier),
        prices=pd.DataFrame({**nothing, **columns}, index=INDEX))


def test_a_series_spans_the_columns_that_name_its_contract() -> None:
    record = recorded(FORWARD=[1.0, 9.0, np.nan], FORWARD_CONTRACT=["20211200", "20220300", "20220300"],
                      PRICE=[5.0, 2.0, 3.0], PRICE_CONTRACT=["20210900", "20211200", "20211200"])
    assert contract_prints(record)[DECEMBER].prices.tolist() == [1.0, 2.0, 3.0]


def test_the_price_column_wins_where_two_columns_name_one_contract() -> None:
    record = recorded(PRICE=[5.0] * 3, PRICE_CONTRACT=["20211200"] * 3,
                      CARRY=[6.0] * 3, CARRY_CONTRACT=["20211200"] * 3)
    assert contract_prints(record)[DECEMBER].prices.tolist() == [5.0] * 3


def test_prices_come_in_the_units_of_the_broker() -> None:
    record = recorded(magnifier=100, PRICE=[5.0] * 3, PRICE_CONTRACT=["20211200"] * 3)
    assert contract_prints(record)[DECEMBER].prices.tolist() == [500.0] * 3


def test_nothing_later_than_the_instant_is_seen() -> None:
    prints = a_market().prints("SP500", DECEMBER)
    assert prints.until(NOON).last() == 4350.0
    assert prints.until(NOON - timedelta(microseconds=1)).last() == 4333.0
    assert prints.after(NOON).until(NOON + timedelta(minutes=9)).last() is None


def test_a_rate_is_found_across_a_third_currency() -> None:
    market = a_market()
    assert market.rate("EUR", "JPY", NOON) == pytest.approx(1.16 / 0.0088)
    assert (market.rate("EUR", "EUR", NOON), market.rate("EUR", "XXX", NOON)) == (1.0, None)


def test_instruments_without_a_rate_are_not_offered() -> None:
    from zoneinfo import ZoneInfo

    from trading.broker.simulated.listing import ContractQuery, Listing

    market = RecordedMarket(tuple(a_market().instruments.values()), {JPYUSD: pd.Series([0.0088], index=INDEX[:1])})
    listing = Listing(market, "USD", ZoneInfo("Europe/London"))
    assert listing.find(ContractQuery(symbol="GBL"), NOON, include_expired=True) == []
    assert EURUSD not in market.pairs


def test_a_record_without_a_zone_is_refused() -> None:
    frame = recorded().prices.tz_localize(None)
    with pytest.raises(DataError, match="X: the record needs an index of aware times in UTC"):
        RecordedInstrument(instrument=Instrument(code="X", point_size=10, currency="USD"), rolls=ROLLS, prices=frame,
                           broker=BrokerInstrument(code="X", symbol="X", exchange="E", currency="USD"))
