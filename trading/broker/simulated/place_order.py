"""Reads placeOrder, the longest client message, field by field (ib_wire.md 2.3). Pure.

What this gateway has no use for is read and dropped. A field left over means that the client speaks a dialect that we
do not know.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.broker.simulated.field_reader import FieldReader
from trading.broker.simulated.listing import ContractQuery

FA_PROFILE_UNTIL: Final = 177
DURATION_SINCE: Final = 158
POST_TO_ATS_SINCE: Final = 160
AUTO_CANCEL_PARENT_SINCE: Final = 162
ERROR_OVERRIDE_SINCE: Final = 166
MANUAL_TIME_SINCE: Final = 169
PEG_BEST_SINCE: Final = 170
LATER_FIELDS: Final = ((183, "customerAccount"), (184, "professionalCustomer"), (189, "includeOvernight"),
                       (192, "manualOrderIndicator"), (199, "imbalanceOnly"))
QUOTE_REQUEST_VERSIONS: Final = range(187, 190)

CONDITION_FIELDS: Final = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}  # behind the type; 5 has no isMore


@dataclass(frozen=True)
class ComboLeg:
    """One leg of a combination; a negative number of contracts is written as SELL."""

    con_id: int
    ratio: int
    action: str
    exchange: str


@dataclass(frozen=True)
class Condition:
    """What must be true before an order works; `fields` as the client wrote them behind the kind."""

    kind: int
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlaceOrder:
    """A new order, or a new version of an open one, as the client wrote it."""

    order_id: int
    contract: ContractQuery
    action: str
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None
    aux_price: Decimal | None
    tif: str
    account: str
    order_ref: str
    transmit: bool
    parent_id: int
    oca_group: str
    outside_rth: bool
    algo_strategy: str
    what_if: bool
    left_over: tuple[str, ...]
    legs: tuple[ComboLeg, ...] = ()
    routing: tuple[tuple[str, str], ...] = ()
    good_till: str = ""
    oca_type: int = 0
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    limit_offset: Decimal | None = None
    algo_params: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    conditions_ignore_rth: bool = False
    conditions_cancel: bool = False


def parse_contract(reader: FieldReader) -> ContractQuery:
    """The twelve fields of a contract (C12 of ib_wire.md 2.2)."""
    con_id, symbol, sec_type = reader.optional_integer("conId") or 0, reader.text("symbol"), reader.text("secType")
    month = reader.text("lastTradeDateOrContractMonth")
    reader.skip("strike, right", 2)
    return ContractQuery(
        con_id=con_id, symbol=symbol, sec_type=sec_type, last_trade_date_or_month=month,
        multiplier=reader.text("multiplier"), exchange=reader.text("exchange"),
        primary_exchange=reader.text("primaryExchange"), currency=reader.text("currency"),
        local_symbol=reader.text("localSymbol"), trading_class=reader.text("tradingClass"))


def parse_place_order(reader: FieldReader, version: int) -> PlaceOrder:
    """Read the whole message; the numbers in the body are the groups of ib_wire.md 2.3."""
    order_id, contract = reader.integer("orderId"), parse_contract(reader)
    reader.skip("secIdType, secId", 2)
    action, quantity = reader.text("action"), reader.optional_decimal("totalQuantity") or Decimal(0)
    order_type, limit = reader.text("orderType"), reader.optional_decimal("lmtPrice")
    aux = reader.optional_decimal("auxPrice")
    tif, oca_group, account = reader.text("tif"), reader.text("ocaGroup"), reader.text("account")
    reader.skip("openClose, origin", 2)
    order_ref, transmit = reader.text("orderRef"), reader.flag("transmit")
    parent_id = reader.optional_integer("parentId") or 0
    reader.skip("blockOrder to triggerMethod", 4)
    outside_rth = reader.flag("outsideRth")
    reader.skip("hidden")
    legs, routing = _combination(reader, contract)  # 4
    good_till = _allocation(reader, version)  # 5
    oca_type = _details(reader)  # 6
    _skip_volatility(reader)  # 7
    trail_stop, trailing_percent = _trail_and_scale(reader)  # 8
    _skip_hedge(reader)  # 9
    algo_strategy, algo_params, what_if = _algo(reader)  # 10
    _skip_benchmark(reader, order_type)  # 11
    conditions, ignore_rth, cancel = _conditions(reader)  # 12
    reader.skip("adjustedOrderType, triggerPrice", 2)  # 13
    limit_offset = reader.optional_decimal("lmtPriceOffset")
    reader.skip("adjustedStopPrice to usePriceMgmtAlgo", 16)
    _skip_gated(reader, contract, order_type, version)  # 14
    return PlaceOrder(
        order_id=order_id, contract=contract, action=action, quantity=quantity, order_type=order_type,
        limit_price=limit, aux_price=aux, tif=tif, account=account, order_ref=order_ref, transmit=transmit,
        parent_id=parent_id, oca_group=oca_group, outside_rth=outside_rth, algo_strategy=algo_strategy,
        what_if=what_if, left_over=reader.rest(), legs=legs, routing=routing, good_till=good_till, oca_type=oca_type,
        trail_stop_price=trail_stop, trailing_percent=trailing_percent, limit_offset=limit_offset,
        algo_params=algo_params, conditions=conditions, conditions_ignore_rth=ignore_rth, conditions_cancel=cancel)


def _leg(reader: FieldReader) -> ComboLeg:
    return ComboLeg(con_id=reader.integer("leg conId"), ratio=reader.integer("leg ratio"),
                    action=reader.text("leg action"), exchange=reader.text("leg exchange"))


def _combination(reader: FieldReader,
                 contract: ContractQuery) -> tuple[tuple[ComboLeg, ...], tuple[tuple[str, str], ...]]:
    if contract.sec_type != "BAG":
        return (), ()
    legs = tuple(_order_leg(reader) for _ in range(reader.count("comboLegs")))
    reader.skip("comboLegPrices", reader.count("comboLegPrices"))
    return legs, _pairs(reader, "smartComboRoutingParams")


def _order_leg(reader: FieldReader) -> ComboLeg:
    leg = _leg(reader)
    reader.skip("openClose to exemptCode", 4)
    return leg


def _pairs(reader: FieldReader, name: str) -> tuple[tuple[str, str], ...]:
    return tuple((reader.text(f"{name} tag"), reader.text(f"{name} value")) for _ in range(reader.count(name)))


def _allocation(reader: FieldReader, version: int) -> str:
    """Only the good-till date matters here."""
    reader.skip("shares allocation to goodAfterTime", 3)
    good_till = reader.text("goodTillDate")
    reader.skip("faGroup to faPercentage", 3)
    if version < FA_PROFILE_UNTIL:
        reader.skip("faProfile")
    return good_till


def _details(reader: FieldReader) -> int:
    reader.skip("modelCode to exemptCode", 4)
    oca_type = reader.optional_integer("ocaType") or 0
    reader.skip("rule80A to overridePercentageConstraints", 15)
    return oca_type


def _skip_volatility(reader: FieldReader) -> None:
    reader.skip("volatility, volatilityType", 2)
    delta_neutral = reader.text("deltaNeutralOrderType")
    reader.skip("deltaNeutralAuxPrice", 9 if delta_neutral else 1)


def _trail_and_scale(reader: FieldReader) -> tuple[Decimal | None, Decimal | None]:
    reader.skip("continuousUpdate, referencePriceType", 2)
    stop, percent = reader.optional_decimal("trailStopPrice"), reader.optional_decimal("trailingPercent")
    reader.skip("scaleInitLevelSize, scaleSubsLevelSize", 2)
    increment = reader.optional_decimal("scalePriceIncrement")
    if increment is not None and increment > 0:
        reader.skip("scale parameters", 7)
    return stop, percent


def _skip_hedge(reader: FieldReader) -> None:
    reader.skip("scaleTable, activeStartTime, activeStopTime", 3)
    if reader.text("hedgeType"):
        reader.skip("hedgeParam")
    reader.skip("optOutSmartRouting to notHeld", 4)
    if reader.flag("deltaNeutralContract"):
        reader.skip("deltaNeutralContract", 3)


def _algo(reader: FieldReader) -> tuple[str, tuple[tuple[str, str], ...], bool]:
    strategy = reader.text("algoStrategy")
    params = _pairs(reader, "algoParams") if strategy else ()
    reader.skip("algoId")
    what_if = reader.flag("whatIf")
    reader.skip("miscOptions to randomizePrice", 4)
    return strategy, params, what_if


def _skip_benchmark(reader: FieldReader, order_type: str) -> None:
    if order_type in ("PEG BENCH", "PEGBENCH"):
        reader.skip("pegged to benchmark", 5)


def _conditions(reader: FieldReader) -> tuple[tuple[Condition, ...], bool, bool]:
    conditions = tuple(_condition(reader) for _ in range(reader.count("conditions")))
    if not conditions:
        return (), False, False
    return conditions, reader.flag("conditionsIgnoreRth"), reader.flag("conditionsCancelOrder")


def _condition(reader: FieldReader) -> Condition:
    kind = reader.integer("conditionType")
    return Condition(kind, tuple(reader.text("condition") for _ in range(CONDITION_FIELDS.get(kind, 0))))


def _skip_gated(reader: FieldReader, contract: ContractQuery, order_type: str, version: int) -> None:
    for since in (DURATION_SINCE, POST_TO_ATS_SINCE, AUTO_CANCEL_PARENT_SINCE, ERROR_OVERRIDE_SINCE,
                  MANUAL_TIME_SINCE):
        if version >= since:
            reader.skip(f"the field that version {since} added")
    if version >= PEG_BEST_SINCE:
        _skip_pegged(reader, contract, order_type)
    if version in QUOTE_REQUEST_VERSIONS:
        reader.skip("the fields about requests for quotes", 2)
    for since, name in LATER_FIELDS:
        if version >= since:
            reader.skip(name)


def _skip_pegged(reader: FieldReader, contract: ContractQuery, order_type: str) -> None:
    if contract.exchange == "IBKRATS":
        reader.skip("minTradeQty")
    if order_type in ("PEG BEST", "PEGBEST"):
        reader.skip("minCompeteSize")
        offset = reader.optional_decimal("competeAgainstBestOffset")
        reader.skip("midOffsets", 2 if offset is not None and offset.is_infinite() else 0)
    elif order_type in ("PEG MID", "PEGMID"):
        reader.skip("midOffsets", 2)
