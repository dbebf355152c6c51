"""What a backtest found: the account, its drawdowns, its statistics with their errors, and each instrument. Pure."""

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd

from trading.errors import DataError
from trading.objects.capital import CapitalMethod
from trading.reports.pictures import line_picture
from trading.reports.report import Report, Section
from trading.systems.account_curve import AccountCurve, Frequency
from trading.systems.account_statistics import AccountStatistics, statistics_of
from trading.systems.accounts import Accounts
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.system import System

_OVER = {"a day": Frequency.DAILY, "a week": Frequency.WEEKLY, "a month": Frequency.MONTHLY, "a year": Frequency.ANNUAL}
_NOTE = ("Percent of the capital, {capital}. Net of costs; a position earns from the second day after it was decided. "
         "The error of a Sharpe ratio is one standard error.")
_CAPITAL = {CapitalMethod.FIXED: "which stays the same: nothing is compounded",
            CapitalMethod.HALF: "as it was at the start: losses shrink what is traded with, profits restore it",
            CapitalMethod.FULL: "as it was at the start: profits and losses are traded with"}


def backtest_report(strategy: str, system: System) -> Report:
    """The report of `system`, which `strategy` describes.

    Raises:
        DataError: the data of all instruments are broken, or too short.
    """
    accounts = system.stage(Accounts)
    curve, left_out = accounts.portfolio_with_multiplier(), accounts.left_out()
    known = curve.percent().dropna()
    return Report(name="backtest", title=f"Backtest of {strategy}", about="From",
                  day=f"{known.index[0]:%Y-%m-%d} to {known.index[-1]:%Y-%m-%d}",
                  sections=tuple(_sections(system, curve, left_out)))


def _sections(system: System, curve: AccountCurve, left_out: dict[str, str]) -> Iterator[Section]:
    config = system.config
    yield Section(heading="Account", picture=line_picture(curve.curve(), "percent of the capital"))
    yield Section(heading="Drawdown", picture=line_picture(curve.drawdown(), "percent of the capital", filled=True))
    yield Section(heading="Statistics", table=statistics_table(curve),
                  note=_NOTE.format(capital=_CAPITAL[config.capital_multiplier]))
    yield Section(heading="Instruments", table=instruments_table(system), note=(
        f"Each instrument's part of the account of {config.notional_trading_capital:,.0f} {config.base_currency}: its "
        f"weight on the last day, its gain, costs, risk and turnover a year, the error of its Sharpe ratio, and its "
        f"worst drawdown."))
    if left_out:
        table = pd.DataFrame({"INSTRUMENT": list(left_out), "REASON": list(left_out.values())})
        yield Section(heading="Left out", table=table, note="Nothing is known of their accounts, and nothing is traded "
                                                            "in them until the reason is gone.")


def statistics_table(curve: AccountCurve) -> pd.DataFrame:
    """One row a statistic, one column a period over which gains are added up."""
    columns = {}
    for name, frequency in _OVER.items():
        try:
            columns[name.upper()] = _column(statistics_of(curve.percent(frequency), frequency))
        except DataError:
            continue  # too short for periods of that length
    if not columns:
        raise DataError("The account has fewer than two days with a gain. Import a longer history.")
    return pd.DataFrame(columns, dtype=object).rename_axis("GAINS OVER").reset_index()


def _column(found: AccountStatistics) -> dict[str, object]:
    return {
        "mean gain a year, %": found.ann_mean, "risk a year, %": found.ann_std, "Sharpe ratio": found.sharpe,
        "its error": found.sharpe_error, "t statistic": found.t_stat, "p value": Decimal(f"{found.p_value:.4f}"),
        "Sortino ratio": found.sortino, "skew": found.skew, "worst drawdown, %": found.worst_drawdown,
        "average drawdown, %": found.avg_drawdown, "time in drawdown, %": 100 * found.time_in_drawdown,
        "hit rate, %": 100 * found.hitrate, "average gain, %": found.avg_gain, "average loss, %": found.avg_loss,
        "profit factor": found.profitfactor, "periods": found.periods}


def instruments_table(system: System) -> pd.DataFrame:
    """One row an instrument, the one that gained most first."""
    accounts = system.stage(Accounts)
    left_out = accounts.left_out()
    rows = [_row(system, code) for code in system.instruments.traded if code not in left_out]
    return pd.DataFrame(rows).sort_values("NET, %", ascending=False, kind="stable", ignore_index=True)


def _row(system: System, code: str) -> dict[str, object]:
    accounts = system.stage(Accounts)
    curve = accounts.pandl_for_instrument(code)
    net = statistics_of(curve.percent())
    years = len(curve.gross) / Frequency.DAILY.per_year
    weight = float(system.stage(InstrumentWeights).weight(code).iloc[-1])
    return {"INSTRUMENT": code, "SINCE": f"{curve.gross.index[0]:%Y-%m}", "WEIGHT, %": 100 * weight,
            "NET, %": net.ann_mean,
            "COSTS, %": float(curve.percent_of(curve.costs).sum()) / years, "RISK, %": net.ann_std,
            "SHARPE": net.sharpe, "ERROR": net.sharpe_error, "DRAWDOWN, %": net.worst_drawdown,
            "TURNOVER": accounts.turnover(code)}
