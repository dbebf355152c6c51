"""The trades of a strategy whose positions are whole contracts, optimised together for a small account. Pure.

The trade is what was optimised, less what is held and what works: no buffer, the optimiser has weighed costs already
(pysystemtrade.md 4.9). An optimum is a dated snapshot: what it lacks is not traded, what the strategy left is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from trading.errors import DataError
from trading.execution.order_generators.decision_age import Decided, check_age
from trading.execution.order_generators.wanted_trades import (
    Standing,
    WantedTrade,
    trade_to,
    trades_out_of_removed,
)
from trading.objects.open_days import OpenDays


@dataclass(frozen=True, kw_only=True)
class OptimisedPosition:
    """Contracts, stored as a float but whole, and the session whose price they stand on."""

    contracts: float
    priced_on: date


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """All that a strategy wants of one trading day, and the instruments that it trades now."""

    strategy: str
    decided_on: date
    positions: Mapping[str, OptimisedPosition]
    traded: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class OptimisedTrades:
    """A trade for each instrument, and why the others have none."""

    trades: Mapping[str, WantedTrade] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def optimised_trades(optimum: Optimum, standings: Mapping[str, Standing], today: date,
                     open_days: OpenDays) -> OptimisedTrades:
    """Trades from `standings` to `optimum`; one instrument with bad data holds up no other.

    What is held but no longer in `optimum.traded` gets target zero (pst #1578); what is traded but lacks a position
    is refused, for unknown is not zero.

    Raises:
        StaleDecision: the optimum as a whole is too old (RC-31).
    """
    check_age(Decided(what=f"The optimum of {optimum.strategy}", on=optimum.decided_on), today, open_days)
    trades, refused = dict(trades_out_of_removed(standings, optimum.traded)), {}
    for instrument in sorted(optimum.traded):
        try:
            contracts = _whole_contracts(optimum, instrument, today, open_days)
        except DataError as error:
            refused[instrument] = str(error)
        else:
            trades[instrument] = trade_to(contracts, standings.get(instrument, Standing(held=0)),
                                          "the optimiser wants it")
    return OptimisedTrades(trades=trades, refused=refused)


def _whole_contracts(optimum: Optimum, instrument: str, today: date, open_days: OpenDays) -> int:
    what = f"The position of {optimum.strategy} in {instrument}"
    position = optimum.positions.get(instrument)
    if position is None:
        raise DataError(f"{what} was not optimised on {optimum.decided_on}, for want of data. It stays as it is; see "
                        f"tradectl backtest {optimum.strategy} --saved --instrument {instrument}")
    if not float(position.contracts).is_integer():  # nor are NaN and infinity
        raise DataError(f"{what} is to be {position.contracts} contracts (allowed: whole numbers). It stays as it is; "
                        f"run it again: tradectl run run_systems")
    check_age(Decided(what=what, on=optimum.decided_on, priced_on=position.priced_on), today, open_days)
    return int(position.contracts)
