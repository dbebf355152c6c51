"""All that the controls know when they are asked, frozen at one moment. Pure.

None means unknown, and unknown is never fine: it denies new risk and lets reductions through. Facts of a combination
(quote, settlement, price steps, median spread) are those of the combination, not of a leg. Times are aware.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from trading.risk.exposure import Holding
from trading.risk.kill_level import KillState
from trading.risk.message_bucket import MessageBucket
from trading.risk.overrides import NO_OVERRIDE, Override
from trading.risk.trade_limits import TradedLots


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """The best prices. `is_live`: not delayed, not frozen."""

    bid: Decimal | None
    ask: Decimal | None
    at: datetime
    is_live: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From `start` up to, not including, `end`: a session, or a restart of the broker."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceStep:
    """From abs(price) `above` on prices are multiples of `increment`."""

    above: Decimal
    increment: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class FxRate:
    """Base currency per unit of the instrument's."""

    rate: float
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractTerms:
    """What a contract is; ours and the broker's must be equal."""

    con_id: int
    instrument: str
    month: str
    exchange: str
    currency: str
    multiplier: Decimal
    tick: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractFacts:
    """One contract month."""

    terms: ContractTerms | None = None
    broker_terms: ContractTerms | None = None
    verified_on: date | None = None           # trading day of `broker_terms`
    last_trading_day: date | None = None
    must_be_out_by: date | None = None
    days_to_close_out: int | None = None      # business days until the broker may close us out
    is_approved: bool = False
    has_permission: bool | None = None
    is_close_only: bool | None = None         # the broker takes only closing orders
    position_limit: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeLimits:
    """Lots a window; rolls have their own."""

    day: int | None = None
    month: int | None = None
    rolls_day: int | None = None
    rolls_month: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InstrumentFacts:
    """One instrument, as seen by one strategy."""

    currency: str
    multiplier: float | None = None
    fx: FxRate | None = None                  # not needed for the base currency
    sigma_d: float | None = None              # price points a day
    combination_sigma_d: float | None = None
    price_steps: tuple[PriceStep, ...] = ()   # sorted by `above`
    settlement: Decimal | None = None         # the last one
    quote: Quote | None = None
    median_spread: Decimal | None = None
    is_illiquid: bool = False
    sessions: tuple[Window, ...] | None = None  # sorted, from at least three sessions ago to the next one
    restarts: tuple[Window, ...] = ()         # of the broker
    contracts: Mapping[str, ContractFacts] = field(default_factory=dict)
    position_limit: int | None = None         # all strategies
    strategy_limit: int | None = None
    order_size_limit: int | None = None
    trade_limits: TradeLimits = TradeLimits()
    strategy_trade_limits: TradeLimits = TradeLimits()
    override: Override = NO_OVERRIDE          # all that apply, combined
    target_change_std: float | None = None    # lots a day, 60 days


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A number before, and after all orders of the batch."""

    before: float
    after: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PortfolioFacts:
    """What a batch of orders makes of the portfolio, on the worst side. Shares are of stand-alone risk, summed."""

    gross_notional: Change                    # base currency
    annual_vol: Change                        # share of NAV
    vol_target: float                         # share of NAV
    class_risk_share: Change                  # of the asset class of this instrument
    instrument_risk_share: Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """The broker's answer to "what if", in `currency`; or our own estimate."""

    initial_after: float
    maintenance_after: float
    equity_after: float
    currency: str


class MarginState(StrEnum):
    """What is known of the broker's word on the margin after an order."""

    NOT_ASKED = "NOT_ASKED"  # nobody asks: our own table is enough
    WANTED = "WANTED"        # to be asked, when everything else allows the order
    AWAITED = "AWAITED"      # asked, a few seconds ago at most
    TOLD = "TOLD"            # `AccountFacts.margin`
    UNTOLD = "UNTOLD"        # asked in vain: our own table must do


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFacts:
    """The account, in the base currency."""

    nav: float | None = None
    margin: Margin | None = None              # the broker's
    margin_state: MarginState = MarginState.NOT_ASKED
    margin_lots: int = 0                      # signed, for which the broker was asked
    own_margin: Margin | None = None          # from our own table, before the safety factor


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentOrder:
    """An order that was sent lately, of anybody's."""

    contract: str
    quantity: int
    limit_price: Decimal | None
    parent: str
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What was done lately, recounted from orders and fills."""

    is_known_key: bool | None = None
    traded: tuple[TradedLots, ...] | None = None           # this instrument
    strategy_traded: tuple[TradedLots, ...] | None = None  # this strategy in it
    recent: tuple[RecentOrder, ...] | None = None
    open_buys: int | None = None              # orders working on the contract, foreign ones too
    open_sells: int | None = None
    open_orders: int | None = None            # in total
    in_flight_contract: int | None = None     # sent and not acknowledged
    in_flight: int | None = None
    unknown_contract: int | None = None       # fate unknown
    parent_sent_at: tuple[datetime, ...] | None = None      # broker orders of the contract order
    parent_unfilled_at: tuple[datetime, ...] | None = None  # its newest ones in a row that ended without a fill
    parent_fill: int | None = None            # signed lots
    parent_quantity: int | None = None
    bucket: MessageBucket | None = None
    modified_at: datetime | None = None       # of this order; None: never
    modifies: int | None = None
    reprices: int | None = None               # of a market order turned into limits
    instrument_day_orders: int | None = None
    system_day_orders: int | None = None
    chase: float | None = None                # adverse price points, this contract order
    day_chase: float | None = None            # this instrument, today


@dataclass(frozen=True, kw_only=True, slots=True)
class GateCounters:
    """The gate's own count of lots (never negative), kept apart from everything that decided before."""

    sent_today: int
    dead_today: int                           # of those, proven never to fill
    approved_today: int                       # at the decision
    roll_approved_today: int
    parent_sent: int
    parent_dead: int
    parent_quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemFacts:
    """The state of the service."""

    kill: KillState
    epoch: int                                # of the connection
    reconciled_epoch: int | None = None
    is_day_reconciled: bool = False           # the start of the trading day
    locks: Mapping[str, str] = field(default_factory=dict)  # instrument: why
    clock_skew: timedelta | None = None       # to the broker or NTP
    clock_jump: timedelta | None = None       # wall clock against monotonic clock since the last look


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Everything. Holdings count our live orders and those of unknown fate as working."""

    now: datetime
    trading_day: date
    instrument: InstrumentFacts
    system: SystemFacts
    holding: Holding                          # the instrument, all strategies
    strategy_holding: Holding
    contract_holdings: Mapping[str, Holding] = field(default_factory=dict)
    account: AccountFacts = AccountFacts()
    activity: Activity = Activity()
    portfolio: PortfolioFacts | None = None
    gate: GateCounters | None = None
