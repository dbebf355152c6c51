"""An order with which everything is right, and the facts around it; tests make one thing wrong."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from trading.risk.exposure import Holding
from trading.risk.kill_level import Command, KillLevel, KillState, raised
from trading.risk.message_bucket import full_bucket
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Attributes, Leg, Proposal, RollSides
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import (
    AccountFacts,
    Activity,
    Change,
    ContractFacts,
    ContractTerms,
    GateCounters,
    InstrumentFacts,
    Margin,
    PortfolioFacts,
    PriceStep,
    Quote,
    Snapshot,
    SystemFacts,
    TradeLimits,
    Window,
)

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)  # a Wednesday
SETTINGS = RiskSettings()
FRONT, FORWARD = "SP500/20260300", "SP500/20260600"


def session(days_ago: int) -> Window:
    start = datetime(2026, 3, 4, 9, tzinfo=UTC) - timedelta(days=days_ago)
    return Window(start=start, end=start + timedelta(hours=11))


def contract_facts(contract: str, last_trading_day: date) -> ContractFacts:
    terms = ContractTerms(con_id=1, instrument="SP500", month=contract[-8:], exchange="CME", currency="USD",
                          multiplier=Decimal(50), tick=Decimal("0.25"))
    return ContractFacts(terms=terms, broker_terms=terms, verified_on=NOW.date(), last_trading_day=last_trading_day,
                         must_be_out_by=last_trading_day - timedelta(days=3), days_to_close_out=9, is_approved=True,
                         has_permission=True, is_close_only=False, position_limit=20)


INSTRUMENT = InstrumentFacts(
    currency="USD", multiplier=50.0, sigma_d=50.0, combination_sigma_d=2.0,
    price_steps=(PriceStep(above=Decimal(0), increment=Decimal("0.25")),), settlement=Decimal("4990"),
    quote=Quote(bid=Decimal("5000.00"), ask=Decimal("5000.25"), at=NOW - timedelta(seconds=1), is_live=True),
    median_spread=Decimal("0.25"), sessions=tuple(session(days) for days in (3, 2, 1, 0)),
    contracts={FRONT: contract_facts(FRONT, date(2026, 3, 20)), FORWARD: contract_facts(FORWARD, date(2026, 6, 19))},
    position_limit=20, strategy_limit=15, order_size_limit=10,
    trade_limits=TradeLimits(day=20, month=100, rolls_day=30, rolls_month=30),
    strategy_trade_limits=TradeLimits(day=15, month=80), target_change_std=3.0)

ACTIVITY = Activity(
    is_known_key=False, traded=(), strategy_traded=(), recent=(), open_buys=0, open_sells=0, open_orders=0,
    in_flight_contract=0, in_flight=0, unknown_contract=0, parent_sent_at=(), parent_unfilled_at=(), parent_fill=0,
    parent_quantity=4, bucket=full_bucket(NOW, SETTINGS.flow), modifies=0, reprices=0, instrument_day_orders=3,
    system_day_orders=40, chase=0.0, day_chase=0.0)

ROOM = Change(before=0.05, after=0.06)
PORTFOLIO = PortfolioFacts(gross_notional=Change(before=1e6, after=2e6), annual_vol=Change(before=0.2, after=0.22),
                           vol_target=0.25, class_risk_share=ROOM, instrument_risk_share=ROOM)
MARGIN = Margin(initial_after=3e6, maintenance_after=2.5e6, equity_after=1e7, currency="USD")
GATE = GateCounters(sent_today=0, dead_today=0, approved_today=4, roll_approved_today=0, parent_sent=0, parent_dead=0,
                    parent_quantity=4)


def a_snapshot(position: int = 2, **changes: object) -> Snapshot:
    """All is well, and `position` lots are held in front, by the one strategy."""
    held = Holding(position=position)
    system = SystemFacts(kill=KillState(), epoch=7, reconciled_epoch=7, is_day_reconciled=True,
                         clock_skew=timedelta(), clock_jump=timedelta())
    well = Snapshot(now=NOW, trading_day=NOW.date(), instrument=INSTRUMENT, system=system, holding=held,
                    strategy_holding=held, contract_holdings={FRONT: held, FORWARD: Holding()},
                    account=AccountFacts(nav=1e7, margin=MARGIN), activity=ACTIVITY, portfolio=PORTFOLIO, gate=GATE)
    return replace(well, **changes)  # type: ignore[arg-type]  # tests name the fields


def with_facts(snapshot: Snapshot, **changes: object) -> Snapshot:
    return replace(snapshot, instrument=replace(snapshot.instrument, **changes))  # type: ignore[arg-type]  # as above


def with_activity(snapshot: Snapshot, **changes: object) -> Snapshot:
    return replace(snapshot, activity=replace(snapshot.activity, **changes))  # type: ignore[arg-type]  # as above


def at_level(snapshot: Snapshot, level: KillLevel) -> Snapshot:
    kill = raised(KillState(), level, Command(who="anna", why="drill", when=NOW))
    return replace(snapshot, system=replace(snapshot.system, kill=kill))


def a_proposal(quantity: int = 4, **changes: object) -> Proposal:
    """A strategy that holds 2 and wants more, by a limit at the touch of its own side."""
    given = Attributes(time_in_force="GTD", outside_hours=False, account="U1", transmit=True,
                       good_till=NOW + timedelta(minutes=11), deadline=NOW + timedelta(minutes=10))
    fine = Proposal(account="U1", strategy="trend", instrument="SP500", kind=OrderKind.STRATEGY, quantity=quantity,
                    key="trend/SP500/1", parent="IO-1-C1", contract=FRONT, target=2 + quantity, previous_target=2,
                    decided_at=NOW - timedelta(hours=18), price_at=NOW - timedelta(hours=20),
                    limit_price=Decimal("5000.00"), attributes=given)
    return replace(fine, **changes)  # type: ignore[arg-type]  # tests name the fields


def a_roll(units: int = -2, **changes: object) -> Proposal:
    """Sell front, buy forward, as a spread: -2 units sell 2 in front."""
    attributes = a_proposal().attributes
    assert attributes is not None
    fine = a_proposal(units, kind=OrderKind.ROLL, contract=None, target=None, limit_price=Decimal("-20.00"),
                      legs=(Leg(contract=FRONT, ratio=1), Leg(contract=FORWARD, ratio=-1)),
                      roll=RollSides(front=FRONT, forward=FORWARD, total_before=2),
                      attributes=replace(attributes, non_guaranteed=True))
    return replace(fine, **changes)  # type: ignore[arg-type]  # tests name the fields


def for_roll(snapshot: Snapshot) -> Snapshot:
    """The quote is that of the spread."""
    quote = Quote(bid=Decimal("-20.25"), ask=Decimal("-20.00"), at=NOW, is_live=True)
    return with_facts(snapshot, quote=quote, settlement=Decimal("-21"))
