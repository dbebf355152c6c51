"""Every number of the controls in one place, with its unit. Defaults suit a daily trader of 20 to 150 futures.

Shares are fractions: 0.01 is one percent. A sigma is the daily price volatility of an instrument (sigma_d), NAV the
equity of the account. Source: orders_and_risk.md section 3; automatic limits also pysystemtrade.md 2.7.
"""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class AutomaticSettings:
    """How limits are made that nobody has typed."""

    risk_target: float = 0.25               # annual volatility wanted, share of capital
    diversification_multiplier: float = 2.5
    instrument_weight: float = 0.1          # assumed for every instrument
    leverage: float = 1.0                   # notional per capital; half of it for one instrument
    positions_per_standard: float = 2.0     # position limit, in standard positions
    daily_trades_per_standard: float = 0.33  # trade limit of a day, in standard positions; times the root of days
    least_trades: int = 4                   # lots in any window
    concentration_share: float | None = None  # of the risk budget in one instrument; 0.2 in newer pysystemtrade
    volume_share: float | None = None       # of daily volume of the best contract; 0.01 in newer pysystemtrade
    risk_budget_share: float = 0.10         # RC-03
    even_shares: float = 5.0                # RC-03, of the risk budget when few instruments share it
    adv_share: float = 0.01                 # RC-03, of the 20-day average daily volume of the contract
    exchange_limit_share: float = 0.5       # RC-03
    day_trades_per_usual: float = 2.0       # RC-07
    least_day_trades: int = 3               # RC-07, lots
    month_trades_per_usual: float = 10.0    # RC-07
    roll_lots_per_position: float = 3.0     # RC-07
    largest_order: int = 10                 # RC-08, lots
    book_slices: float = 5.0                # RC-08, times the next
    book_share: float = 0.2                 # RC-08, of the median size at the top of the book
    order_adv_share: float = 0.001          # RC-08


@dataclass(frozen=True, kw_only=True)
class SizeSettings:
    """RC-06, RC-08, RC-09, RC-32, RC-38."""

    gross_notional_per_nav: float = 20.0
    vol_per_target: float = 1.5             # expected annual volatility over the target
    class_risk_share: float = 0.40          # one asset class
    instrument_risk_share: float = 0.15
    unset_order_size: int = 1               # lots, for an instrument without a limit of its own
    manual_order_share: float = 0.5         # of the order size; a larger manual order needs a second confirmation
    order_risk_soft: float = 0.01           # abs(lots) x multiplier x sigma x FX, of NAV: held for approval
    order_risk_hard: float = 0.02
    order_notional_hard: float = 1.0        # of NAV
    notional_exempt: frozenset[str] = frozenset()  # instruments, such as short-rate futures
    jump_sigmas: float = 4.0                # target change over its 60-day standard deviation
    jump_lots: int = 3                      # smaller changes never wait
    flip_limit_share: float = 0.5           # of the position limit


@dataclass(frozen=True, kw_only=True)
class PriceSettings:
    """RC-10 to RC-13."""

    collar_ticks: int = 5
    collar_spreads: float = 3.0             # median spreads
    collar_sigmas: float = 0.5
    collar_hard_sigmas: float = 1.0
    chase_sigmas: float = 0.25              # adverse, one contract order
    day_chase_sigmas: float = 1.0           # adverse, one instrument and day
    reprices: int = 5
    quote_age: timedelta = timedelta(seconds=10)
    illiquid_quote_age: timedelta = timedelta(seconds=60)
    quote_spreads: float = 5.0              # median spreads
    quote_spread_ticks: int = 4
    settlement_sigmas: float = 5.0          # mid from the last settlement


@dataclass(frozen=True, kw_only=True)
class TimeSettings:
    """RC-14, RC-15, RC-29, RC-31, RC-34, RC-37."""

    no_passive_before_close: timedelta = timedelta(minutes=15)
    no_order_before_close: timedelta = timedelta(minutes=2)
    least_days_to_close_out: int = 0        # business days; more must be left for new risk
    clock_skew: timedelta = timedelta(seconds=1)
    decision_sessions: int = 1              # sessions that may have begun since the decision
    price_sessions: int = 2                 # sessions that may have begun since its price
    good_till_margin: timedelta = timedelta(seconds=60)    # after the deadline of the algo
    fx_age: timedelta = timedelta(days=2)   # of weekdays


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """RC-16 to RC-22."""

    messages_per_s: float = 10.0
    burst: int = 20
    cancel_reserve: int = 20                # tokens that only cancels may use
    modify_spacing: timedelta = timedelta(seconds=2)
    modifies: int = 30                      # of one order
    instrument_day_orders: int = 100
    system_day_orders: int = 2000
    repeat_window: timedelta = timedelta(seconds=60)
    repeat_orders: int = 5                  # broker orders of one contract order in the window
    repeat_unfilled: int = 3                # consecutive ones that ended without a fill in the window
    duplicate_window: timedelta = timedelta(seconds=60)
    open_orders_per_side: int = 5           # of one contract
    open_orders: int = 50
    in_flight_per_contract: int = 1
    in_flight: int = 10
    unknown_orders: int = 3                 # this many raise K2
    unknown_age: timedelta = timedelta(minutes=10)    # one older than this raises K2


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """RC-23 to RC-27, RC-42, RC-44, RC-45."""

    initial_margin_share: float = 0.80      # of equity, after the order
    maintenance_margin_share: float = 0.65
    own_margin_factor: float = 1.3          # on our own table, when the broker gives no answer
    nav_move: float = 0.10                  # since the last good value
    nav_consistent_reads: int = 3
    day_loss_alert: float = 0.02            # of NAV at the start of the session
    day_loss_no_new_risk: float = 0.03
    day_loss_halt: float = 0.05
    day_loss_confirmations: int = 3
    day_loss_spacing: timedelta = timedelta(seconds=20)    # between two confirmations
    drawdown_factor_at: float = 0.15        # from the high-water mark
    drawdown_factor: float = 0.5
    drawdown_reduce_at: float = 0.25
    drawdown_close_at: float = 0.35
    strategy_loss_vols: float = 3.0         # day loss over its expected daily volatility
    alert_acknowledged_within: timedelta = timedelta(minutes=15)
    quote_silence: timedelta = timedelta(minutes=10)
    roll_units: int = 20                    # a roll of many lots goes in so many units; of few, lot by lot
    roll_slack: int = 1                     # units by which a roll may pass abs(position) on its way


@dataclass(frozen=True, kw_only=True)
class RiskSettings:
    """All of them; `version` is stored with each decision."""

    version: str = "defaults"
    base_currency: str = "USD"
    automatic: AutomaticSettings = field(default_factory=AutomaticSettings)
    size: SizeSettings = field(default_factory=SizeSettings)
    price: PriceSettings = field(default_factory=PriceSettings)
    time: TimeSettings = field(default_factory=TimeSettings)
    flow: FlowSettings = field(default_factory=FlowSettings)
    account: AccountSettings = field(default_factory=AccountSettings)


