"""Limits as they are computed for instruments for which nobody has typed one: the same that the controls use."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from trading.config import Config
from trading.data.mongo.capital import MongoCapital
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoLimits
from trading.data.mongo.instruments import MongoInstruments
from trading.data.risk.instrument_risk import InstrumentRisk
from trading.data.risk.settings import risk_settings
from trading.data.trading_desk.stored_facts import instrument_risks
from trading.risk.automatic_limits import SizingFacts, order_size_limit, trade_limit, usual_lots_of_risk
from trading.risk.limits import Limit, LimitKind
from trading.risk.settings import AutomaticSettings
from trading.risk.trade_limits import DAY, MONTH, Bucket


@dataclass(kw_only=True)
class ComputedLimit:
    """One limit: what holds now, what would be, and why not, when it cannot be computed or a person's stays."""

    instrument: str
    kind: str
    days: int
    now: int | None
    lots: int | None
    why_not: str


def computed_limits(store: MongoStore, config: Config, now: datetime,
                    only: str | None = None) -> Iterator[ComputedLimit]:
    """Position, trade (1 and 30 days) and order limits of all instruments, or of one, as of `now`.

    Raises:
        NotFound: there is no instrument `only`.
    """
    instruments, known = MongoInstruments(store), {each.id: each for each in MongoLimits(store).all()}
    codes = instruments.codes()
    if only is not None:
        instruments.load(only)
    capital = MongoCapital(store).latest()
    settings = risk_settings(config).automatic
    risks = instrument_risks(store, config.service.base_currency, [only] if only else codes, now)
    for code, risk in risks.items():
        facts = _sizing(risk, None if capital is None else float(capital.total))
        missing = _missing(risk, facts)
        for kind, days, lots in _limits(facts, len(codes), settings):
            set_now = known.get(Limit(kind=kind, instrument=code, lots=0, days=days).id)
            yield ComputedLimit(instrument=code, kind=kind.value, days=days, lots=lots,
                                now=set_now.lots if set_now is not None else None,
                                why_not=_why_not(set_now, lots, missing))


def _sizing(risk: InstrumentRisk, capital: float | None) -> SizingFacts:
    """By risk; what volume or exchange allow is for a person to set, while nobody records it."""
    return SizingFacts(capital=capital, annual_risk_per_contract=risk.annual_risk, notional_per_contract=risk.notional,
                       adv=inf, exchange_limit=inf, top_of_book=inf)


def _limits(facts: SizingFacts, instruments: int,
            settings: AutomaticSettings) -> Iterator[tuple[LimitKind, int, int | None]]:
    position = usual_lots_of_risk(facts, instruments, settings)
    yield LimitKind.POSITION, 0, position
    for window in (DAY, MONTH):
        yield (LimitKind.TRADE, window // timedelta(days=1),
               trade_limit(position, Bucket.TRADES, window, settings))
    yield LimitKind.ORDER, 0, order_size_limit(facts, settings)


def _missing(risk: InstrumentRisk, facts: SizingFacts) -> str:
    named = (("the capital", facts.capital), ("the volatility", risk.sigma_d), ("the rate of its currency", risk.fx))
    return " and ".join(name for name, value in named if value is None)


def _why_not(known: Limit | None, lots: int | None, missing: str) -> str:
    if lots is None:
        return f"not known: {missing}" if missing else "not known"
    return f"set by {known.who}: {known.reason}" if known is not None and not known.is_automatic else ""
