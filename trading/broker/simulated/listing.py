"""The contracts that the gateway knows: identity, details and how a client may ask for one. Pure.

A contract is listed from the moment when the record first names it until its expiry; a currency pair always is.
"""

import logging
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.recorded_market import Prints, RecordedInstrument, RecordedMarket, nanoseconds
from trading.objects.contracts import DeliveryMonth
from trading.objects.instruments import CurrencyPair, Instrument, tick_from_slippage

log = logging.getLogger(__name__)

FUTURE: Final = "FUT"
CASH: Final = "CASH"
BAG: Final = "BAG"
CON_ID_MASK: Final = 0x7FFFFFFF
FX_TICK: Final = Decimal("0.00005")
FX_TICK_OF_LARGE_RATES: Final = Decimal("0.005")  # yen and the like
LARGE_RATE: Final = 20


@dataclass(frozen=True, kw_only=True)
class ContractQuery:
    """How a client describes a contract: any fields may be empty (ib_wire.md 2.2, C12)."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    last_trade_date_or_month: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


@dataclass(frozen=True, kw_only=True)
class ContractFacts:
    """What never changes about a contract; orders and positions outlive the record that listed it."""

    con_id: int
    sec_type: str
    symbol: str
    exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    multiplier: str  # text, as the broker writes it; empty for pairs
    magnifier: int
    month: str  # YYYYMM; empty for pairs
    expiry: str  # YYYYMMDD; empty for pairs
    legs: str = ""  # of a combination, as JSON: contract, ratio, side and exchange of each

    @property
    def point_value(self) -> float:
        """Money in `currency` that one unit of the broker's price is worth, a contract."""
        return float(self.multiplier or 1) / self.magnifier

    def is_expired(self, today: date) -> bool:
        return self.expiry != "" and f"{today:%Y%m%d}" > self.expiry


@dataclass(frozen=True, kw_only=True)
class Touch:
    """The best prices of one moment, on the tick grid."""

    bid: Decimal
    ask: Decimal
    last: float


@dataclass(frozen=True, kw_only=True)
class ListedContract:
    """A contract with its place in the record."""

    facts: ContractFacts
    long_name: str
    grid: PriceGrid
    half_spread: Decimal
    listed_from: int  # nanoseconds since 1970
    prints: Prints = field(repr=False, compare=False)
    instrument: Instrument | None = None

    def touch(self, price: float) -> Touch:
        """Bid and ask around a recorded price, rounded outward to the tick."""
        middle = Decimal(repr(price))
        return Touch(bid=self.grid.floor(middle - self.half_spread),
                     ask=self.grid.ceiling(middle + self.half_spread), last=price)

    def commission(self, size: int, price: float) -> float:
        """In the contract's currency; pairs cost what Interactive Brokers charges at least, 0.2 basis points."""
        if self.instrument is None:
            return round(abs(size) * price * 0.00002, 2)
        ours = price * self.facts.point_value / self.instrument.point_size
        return round(self.instrument.commission(size, ours), 6)

    def is_named_by(self, now: datetime) -> bool:
        return self.listed_from <= nanoseconds(now)


class Listing:
    """Every contract that the record ever names; questions say as of when."""

    def __init__(self, market: RecordedMarket, base_currency: str, zone: ZoneInfo,
                 grids: Mapping[str, PriceGrid] | None = None) -> None:
        """`grids` by symbol, where the tick is not to be guessed from the spread."""
        self._zone: Final = zone
        drafts = [replace(draft, grid=(grids or {}).get(draft.facts.symbol, draft.grid))
                  for draft in (*_futures(market, base_currency), *_pairs(market, base_currency))]
        self._contracts: Final = with_con_ids(drafts)
        self._by_id: Final = {contract.facts.con_id: contract for contract in self._contracts}
        self._by_symbol: Final = _grouped(self._contracts)
        self._rules: Final = {contract.grid.rule_id: contract.grid for contract in self._contracts}

    def by_id(self, con_id: int) -> ListedContract | None:
        return self._by_id.get(con_id)

    def rule(self, rule_id: int) -> PriceGrid | None:
        """The grid behind the number of a market rule."""
        return self._rules.get(rule_id)

    def every(self) -> Sequence[ListedContract]:
        """All that the record ever names, by symbol and expiry."""
        return self._contracts

    def find(self, query: ContractQuery, now: datetime, *, include_expired: bool) -> list[ListedContract]:
        """All contracts that `query` describes and that a client may know of at `now`, near months first."""
        today = hours.local_date(now, self._zone)
        return [contract for contract in self._candidates(query)
                if contract.is_named_by(now) and matches(query, contract.facts)
                and (include_expired or not contract.facts.is_expired(today))]

    def _candidates(self, query: ContractQuery) -> Sequence[ListedContract]:
        if query.con_id:
            found = self.by_id(query.con_id)
            return (found,) if found else ()
        if query.symbol:
            return self._by_symbol.get(query.symbol, ())
        return self._contracts if query.local_symbol else ()


def matches(query: ContractQuery, facts: ContractFacts) -> bool:
    """Does every field that the client filled in agree? A contract id alone is enough."""
    if query.con_id:
        return query.con_id == facts.con_id and query.exchange in ("", facts.exchange, "SMART")
    given = ((query.symbol, facts.symbol), (query.sec_type, facts.sec_type), (query.exchange, facts.exchange),
             (query.currency, facts.currency), (query.local_symbol, facts.local_symbol),
             (query.trading_class, facts.trading_class))
    return (all(asked in ("", known) for asked, known in given)
            and _same_multiplier(query.multiplier, facts.multiplier)
            and _same_month(query.last_trade_date_or_month, facts))


def with_con_ids(drafts: Iterable[ListedContract]) -> tuple[ListedContract, ...]:
    """Give each contract an id from its own name, the same in every run; the rare clash is hashed again.

    Two instruments that the broker knows by one name are one contract there: the first stays.
    """
    taken: dict[int, ListedContract] = {}
    seen: set[str] = set()
    for draft in sorted(drafts, key=lambda contract: _name(contract.facts)):
        name = _name(draft.facts)
        if name not in seen:
            seen.add(name)
            con_id = _free_con_id(name, taken)
            taken[con_id] = _with_con_id(draft, con_id)
    return tuple(sorted(taken.values(), key=lambda contract: (contract.facts.symbol, contract.facts.expiry)))


def _name(facts: ContractFacts) -> str:
    return "/".join((facts.sec_type, facts.symbol, facts.exchange, facts.currency, facts.multiplier, facts.month))


def _free_con_id(name: str, taken: dict[int, ListedContract]) -> int:
    con_id = zlib.crc32(name.encode()) & CON_ID_MASK
    while con_id in taken or con_id == 0:
        log.warning("contract id %s of %s is taken, hashing again", con_id, name)
        name += "#"
        con_id = zlib.crc32(name.encode()) & CON_ID_MASK
    return con_id


def _with_con_id(draft: ListedContract, con_id: int) -> ListedContract:
    return replace(draft, facts=replace(draft.facts, con_id=con_id))


def _grouped(contracts: Iterable[ListedContract]) -> dict[str, tuple[ListedContract, ...]]:
    groups: dict[str, list[ListedContract]] = {}
    for contract in contracts:
        groups.setdefault(contract.facts.symbol, []).append(contract)
    return {symbol: tuple(group) for symbol, group in groups.items()}


def _futures(market: RecordedMarket, base_currency: str) -> Iterator[ListedContract]:
    for code, recorded in market.instruments.items():
        if not market.has_rate(recorded.broker.currency, base_currency):
            log.warning("%s is not offered: no recorded rate of %s in %s", code, recorded.broker.currency,
                        base_currency)
            continue
        for month, listed_from in market.first_named(code).items():
            yield _future(market, recorded, month, listed_from)


def _future(market: RecordedMarket, recorded: RecordedInstrument, month: DeliveryMonth, since: int) -> ListedContract:
    scale = recorded.broker.price_magnifier
    slippage = recorded.instrument.slippage
    return ListedContract(facts=_future_facts(recorded, month), listed_from=since, instrument=recorded.instrument,
                          long_name=recorded.instrument.description or recorded.instrument.code,
                          grid=PriceGrid.even(tick_from_slippage(slippage) * scale),
                          half_spread=Decimal(repr(slippage)) * scale,
                          prints=market.prints(recorded.instrument.code, month))


def _future_facts(recorded: RecordedInstrument, month: DeliveryMonth) -> ContractFacts:
    broker = recorded.broker
    return ContractFacts(
        con_id=0, sec_type=FUTURE, symbol=broker.symbol, exchange=broker.exchange, currency=broker.currency,
        local_symbol=f"{broker.symbol}{month.letter}{month.year % 10}", trading_class=broker.symbol,
        multiplier=broker.multiplier or plain(recorded.instrument.point_size), magnifier=magnifier(recorded),
        month=f"{month.year:04d}{month.month:02d}", expiry=f"{recorded.rolls.expiry(month):%Y%m%d}")


def magnifier(recorded: RecordedInstrument) -> int:
    """What makes price x multiplier / magnifier equal our price x point size; the configured one where none can."""
    broker = recorded.broker
    multiplier = Decimal(broker.multiplier or repr(recorded.instrument.point_size))
    ratio = multiplier * broker.price_magnifier / Decimal(repr(recorded.instrument.point_size))
    return int(ratio) if ratio >= 1 and ratio == ratio.to_integral_value() else broker.price_magnifier


def _pairs(market: RecordedMarket, base_currency: str) -> Iterator[ListedContract]:
    for pair in market.pairs:
        if not all(market.has_rate(currency, base_currency) for currency in (pair.base, pair.quote)):
            log.warning("%s is not offered: no recorded rates in %s", pair.code, base_currency)
            continue
        prints = market.pair_prints(pair)
        large = len(prints) > 0 and float(prints.prices[0]) >= LARGE_RATE
        tick = FX_TICK_OF_LARGE_RATES if large else FX_TICK
        facts = _pair_facts(pair)
        yield ListedContract(facts=facts, long_name=f"{facts.local_symbol} spot", half_spread=tick,
                             grid=PriceGrid.even(tick),
                             listed_from=0, prints=prints)


def _pair_facts(pair: CurrencyPair) -> ContractFacts:
    symbol, currency = (pair.quote, pair.base) if pair.inverted_at_broker else (pair.base, pair.quote)
    local = f"{symbol}.{currency}"
    return ContractFacts(con_id=0, sec_type=CASH, symbol=symbol, exchange="IDEALPRO", currency=currency,
                         local_symbol=local, trading_class=local, multiplier="", magnifier=1, month="", expiry="")


def plain(number: float) -> str:
    """A number as the gateway writes it: 50 and not 50.0, never with an exponent."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _same_multiplier(asked: str, known: str) -> bool:
    return asked in ("", known) or (_is_number(asked) and _is_number(known) and float(asked) == float(known))


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _same_month(asked: str, facts: ContractFacts) -> bool:
    """YYYYMM names the contract month, YYYYMMDD the last trading day; a time behind it is ignored."""
    return asked == "" or (asked == facts.month if len(asked) == 6 else asked[:8] == facts.expiry)
