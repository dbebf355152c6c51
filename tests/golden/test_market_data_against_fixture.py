"""Rolls, adjusted prices, rates, capital, merges and costs of a small made-up market against numbers by hand.

The expected numbers are written out, or plain sums over lists: no pandas, none of our code. The same functions as in
the comparisons with the oracle, so that they are checked too where its numbers are not at hand.
"""

from datetime import date, timedelta

import pandas as pd
import pytest

from trading.conventions import OURS, PYSYSTEMTRADE, Conventions
from trading.objects.adjusted_prices import extended, roll_gaps, stitch
from trading.objects.capital import Capital, CapitalFall, CapitalMethod
from trading.objects.compounding import full_multiplier, half_multiplier
from trading.objects.contracts import DeliveryMonth
from trading.objects.fx_prices import FxPrices, rate
from trading.objects.instruments import Instrument
from trading.objects.multiple_prices import from_calendar
from trading.objects.price_merge import corrected, gaps_filled
from trading.objects.price_merge import extended as joined
from trading.objects.price_spikes import PriceSpike, moves_in_averages
from trading.objects.roll_calendars import adjusted_calendar, approximate_calendar, backed_out_calendar
from trading.objects.rolls import RollParameters
from trading.objects.slippage import TradePrices, slippage

NAN = float("nan")
ROLLS = RollParameters(hold_cycle="HMU", priced_cycle="HMU", roll_offset_days=-5, carry_offset=1, expiry_offset_days=9)
# Each contract is to be left on the 5th of its month. Prices of 2021; Saturdays and Sundays have none, nor have some
# days: 5 March of the second contract, 4 June (the 5th is a Saturday) of the first.
PRICES = {
    "20210300": {"03-02": 100.0, "03-03": 101.0, "03-04": 102.0, "03-05": 99.0, "03-08": 98.0},
    "20210600": {"03-02": 103.0, "03-03": 103.5, "03-04": 104.0, "03-08": 101.0, "06-03": -1.0, "06-07": 2.0,
                 "06-08": 3.0},
    "20210900": {"06-03": 1.5, "06-04": 2.5, "06-07": 4.5, "06-08": 5.0, "06-09": 6.0},
}


def stamp(day: str) -> pd.Timestamp:
    return pd.Timestamp(f"2021-{day}", tz="UTC")


def series(values: dict[str, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.DatetimeIndex([stamp(day) for day in values]), dtype=float)


CLOSES = {DeliveryMonth.parse(label): series(prices) for label, prices in PRICES.items()}


def written(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [(f"{at:%m-%d}", *row) for at, row in
            zip(frame.index, frame[list(columns)].itertuples(index=False, name=None), strict=True)]


def test_the_calendar_of_the_parameters() -> None:
    assert written(approximate_calendar("X", ROLLS, CLOSES), "current_contract", "next_contract", "carry_contract") == [
        ("03-05", "20210300", "20210600", "20210600"), ("06-05", "20210600", "20210900", "20210900")]


@pytest.mark.parametrize(("conventions", "expected"), [
    (OURS, [("03-04", "20210300"), ("06-03", "20210600")]),  # 06-03 and 06-07 are two days off: the earlier
    (PYSYSTEMTRADE, [("03-04", "20210300")])])
def test_the_calendar_on_days_with_prices(conventions: Conventions, expected: list[tuple[str, str]]) -> None:
    approximate = approximate_calendar("X", ROLLS, CLOSES, conventions)
    assert written(adjusted_calendar("X", approximate, CLOSES, conventions), "current_contract") == expected


def calendar() -> pd.DataFrame:
    return adjusted_calendar("X", approximate_calendar("X", ROLLS, CLOSES), CLOSES)


def test_multiple_prices_row_by_row() -> None:
    frame = from_calendar("X", calendar(), CLOSES, ROLLS).fillna(0.0)  # no price of the fixture is 0
    assert written(frame, "PRICE", "FORWARD", "PRICE_CONTRACT", "FORWARD_CONTRACT") == [
        ("03-02", 100.0, 103.0, "20210300", "20210600"), ("03-03", 101.0, 103.5, "20210300", "20210600"),
        ("03-04", 102.0, 104.0, "20210300", "20210600"), ("03-08", 101.0, 0.0, "20210600", "20210900"),
        ("06-03", -1.0, 1.5, "20210600", "20210900"), ("06-04", 2.5, 0.0, "20210900", "20220300"),
        ("06-07", 4.5, 0.0, "20210900", "20220300"), ("06-08", 5.0, 0.0, "20210900", "20220300"),
        ("06-09", 6.0, 0.0, "20210900", "20220300")]
    assert (frame["CARRY"] == frame["FORWARD"]).all()


def test_without_the_ends_only_the_middle_is_left() -> None:
    frame = from_calendar("X", calendar(), CLOSES, ROLLS, PYSYSTEMTRADE)
    assert written(frame, "PRICE") == [("03-08", 101.0), ("06-03", -1.0)]


def test_adjusted_prices_row_by_row() -> None:
    # gaps: 104 - 102 = 2 and 1.5 - -1 = 2.5; the oldest prices move by both
    multiple = from_calendar("X", calendar(), CLOSES, ROLLS)
    expected = [104.5, 105.5, 106.5, 103.5, 1.5, 2.5, 4.5, 5.0, 6.0]
    assert roll_gaps("X", multiple).tolist() == [2.0, 2.5]
    assert stitch("X", multiple).tolist() == expected
    assert extended("X", stitch("X", multiple.head(2)), multiple.iloc[1:2], multiple.iloc[2:]).tolist() == expected


@pytest.mark.parametrize(("conventions", "expected"), [
    (OURS, [("03-04", "20210300", "20210600"), ("06-03", "20210600", "20210900")]),
    (PYSYSTEMTRADE, [("03-08", "20210300", "20210600"), ("06-04", "20210600", "20210900"),
                     ("06-09", "20210900", "20220300")])])
def test_the_calendar_read_back_from_prices(conventions: Conventions, expected: list[tuple[str, str, str]]) -> None:
    multiple = from_calendar("X", calendar(), CLOSES, ROLLS)
    assert written(backed_out_calendar("X", multiple, conventions), "current_contract", "next_contract") == expected


def test_rates_of_a_cross_row_by_row() -> None:
    stored = {"EURUSD": {"01-04": 1.2, "01-06": 1.3}, "GBPUSD": {"01-05": 1.6, "01-07": 1.3}}
    cross = rate("EUR", "GBP", lambda pair: FxPrices(pair, series(stored[pair])))
    assert cross.tolist() == pytest.approx([1.2 / 1.6, 1.3 / 1.6, 1.3 / 1.3], rel=1e-12)
    dollar = rate("USD", "EUR", lambda pair: FxPrices(pair, series(stored[pair])))
    assert dollar.tolist() == pytest.approx([1 / 1.2, 1 / 1.3], rel=1e-12)


@pytest.mark.parametrize(("method", "totals", "maxima"), [  # the check of the reference
    (CapitalMethod.FULL, [108, 100, 92, 96, 105, 113], [108, 100, 92, 96, 105, 113]),
    (CapitalMethod.HALF, [100, 92, 84, 88, 97, 100], [100] * 6), (CapitalMethod.FIXED, [100] * 6, [100] * 6)])
def test_capital_of_production_day_by_day(method: CapitalMethod, totals: list[float], maxima: list[float]) -> None:
    capital, seen = Capital.opened_with(100.0), []
    for value in (108.0, 100.0, 92.0, 96.0, 105.0, 113.0):
        capital = capital.after(value, method, PYSYSTEMTRADE)
        seen.append((capital.total, capital.maximum))
    assert seen == list(zip(totals, maxima, strict=True))


def test_a_loss_of_a_ninth_is_believed_by_us_alone() -> None:
    assert Capital.opened_with(900.0).after(800.0, CapitalMethod.FULL, OURS).total == 800.0
    with pytest.raises(CapitalFall):
        Capital.opened_with(900.0).after(800.0, CapitalMethod.FULL, PYSYSTEMTRADE)


def test_capital_of_a_backtest_day_by_day() -> None:
    returns = series({"01-04": 0.1, "01-05": -0.2, "01-06": 0.05, "01-07": 0.5})
    assert full_multiplier(returns).tolist() == pytest.approx([1.1, 0.88, 0.924, 1.386])
    assert half_multiplier(returns).tolist() == pytest.approx([1.0, 0.8, 0.84, 1.0])
    assert half_multiplier(returns, PYSYSTEMTRADE).tolist() == pytest.approx([1.0, 0.8, 0.832, 1.0])


def test_moves_in_units_of_their_average_by_the_sums() -> None:
    # moves 1 over a day, 4 over four days (2 a root day), 6 over a day; the newest counts most, by 1 - 2 / 501
    decay = 1 - 2 / 501
    moves = [1.0, 2.0, 6.0]
    means = [sum(decay ** (n - i) * moves[i] for i in range(n + 1)) / sum(decay ** i for i in range(n + 1))
             for n in range(3)]
    ours = moves_in_averages(series({"01-04": 10.0, "01-05": 11.0, "01-09": 7.0, "01-10": 13.0}))
    assert ours.tolist()[1:] == pytest.approx([move / mean for move, mean in zip(moves, means, strict=True)])


def test_a_spike_is_refused_and_the_rest_joined() -> None:
    days = [f"{date(2021, 1, 1) + timedelta(days=n):%m-%d}" for n in range(60)]
    old = series({day: 100.0 + n % 2 for n, day in enumerate(days)})
    new = series({days[-1]: 500.0, "03-02": 101.0, "03-03": 100.0})
    for conventions in (OURS, PYSYSTEMTRADE):
        assert joined("X", old, new, conventions).tolist() == [*old.tolist(), 101.0, 100.0]
        with pytest.raises(PriceSpike):
            joined("X", old, series({"03-02": 150.0, "03-03": 100.0}), conventions)


def test_repairs_value_by_value() -> None:
    old = series({"01-04": 1.0, "01-05": NAN, "01-06": 3.0})
    new = series({"01-04": 9.0, "01-05": 2.0, "01-06": NAN, "01-07": 4.0})
    assert gaps_filled("X", old, new).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert corrected("X", old, new).tolist() == [9.0, 2.0, 3.0, 4.0]
    assert corrected("X", old, new, PYSYSTEMTRADE).tolist() == [9.0, 2.0, 3.0]


def test_slippage_and_costs_by_hand() -> None:
    parts = slippage(TradePrices(quantity=-2, reference=50.0, mid=49.5, side=49.25, filled=49.375, limit=49.0))
    assert (parts.delay, parts.bid_ask, parts.execution, parts.trading, parts.versus_limit) == (
        -0.5, -0.25, 0.125, -0.125, 0.375)
    instrument = Instrument(code="X", point_size=10.0, currency="USD", slippage=0.25, cost_per_contract=1.5,
                            cost_percentage=0.001, cost_per_order=5.0)
    assert instrument.cost(3, 100.0) == pytest.approx(3 * 0.25 * 10 + 5.0)  # 4.50, 5.00 or 3.00: the largest
    assert instrument.cost(-3, 200.0) == pytest.approx(3 * 0.25 * 10 + 6.0)
    assert instrument.cost_fraction(-3, 200.0) == pytest.approx(13.5 / 6000)
