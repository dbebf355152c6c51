"""Reads placeOrder, the longest client message, field by field (ib_wire.md 2.3). Pure.

What this gateway has no use for is read and dropped; what it must refuse (combinations, conditions, brackets) is
kept so that the refusal can name it. A field left over means that the client speaks a dialect we do not know.
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

CONDITION_FIELDS: Final = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}  # behind the type; 5 has no isMore


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
    conditions: int
    left_over: tuple[str, ...]


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
    _skip_combination(reader, contract)  # 4
    _skip_allocation(reader, version)  # 5
    reader.skip("modelCode to overridePercentageConstraints", 20)  # 6
    _skip_volatility(reader)  # 7
    _skip_scale(reader)  # 8
    _skip_hedge(reader)  # 9
    algo_strategy, what_if = _algo(reader)  # 10
    _skip_benchmark(reader, order_type)  # 11
    conditions = _conditions(reader)  # 12
    reader.skip("adjustedOrderType to usePriceMgmtAlgo", 19)  # 13
    _skip_gated(reader, contract, order_type, version)  # 14
    return PlaceOrder(
        order_id=order_id, contract=contract, action=action, quantity=quantity, order_type=order_type,
        limit_price=limit, aux_price=aux, tif=tif, account=account, order_ref=order_ref, transmit=transmit,
        parent_id=parent_id, oca_group=oca_group, outside_rth=outside_rth, algo_strategy=algo_strategy,
        what_if=what_if, conditions=conditions, left_over=reader.rest())


def _skip_combination(reader: FieldReader, contract: ContractQuery) -> None:
    if contract.sec_type == "BAG":
        reader.skip("comboLegs", reader.count("comboLegs") * 8)
        reader.skip("comboLegPrices", reader.count("comboLegPrices"))
        reader.skip("smartComboRoutingParams", reader.count("smartComboRoutingParams") * 2)


def _skip_allocation(reader: FieldReader, version: int) -> None:
    reader.skip("shares allocation to faPercentage", 7)
    if version < FA_PROFILE_UNTIL:
        reader.skip("faProfile")


def _skip_volatility(reader: FieldReader) -> None:
    reader.skip("volatility, volatilityType", 2)
    delta_neutral = reader.text("deltaNeutralOrderType")
    reader.skip("deltaNeutralAuxPrice", 9 if delta_neutral else 1)


def _skip_scale(reader: FieldReader) -> None:
    reader.skip("continuousUpdate to scaleSubsLevelSize", 6)
    increment = reader.optional_decimal("scalePriceIncrement")
    if increment is not None and increment > 0:
        reader.skip("scale parameters", 7)


def _skip_hedge(reader: FieldReader) -> None:
    reader.skip("scaleTable, activeStartTime, activeStopTime", 3)
    if reader.text("hedgeType"):
        reader.skip("hedgeParam")
    reader.skip("optOutSmartRouting to notHeld", 4)
    if reader.flag("deltaNeutralContract"):
        reader.skip("deltaNeutralContract", 3)


def _algo(reader: FieldReader) -> tuple[str, bool]:
    strategy = reader.text("algoStrategy")
    if strategy:
        reader.skip("algoParams", reader.count("algoParams") * 2)
    reader.skip("algoId")
    what_if = reader.flag("whatIf")
    reader.skip("miscOptions to randomizePrice", 4)
    return strategy, what_if


def _skip_benchmark(reader: FieldReader, order_type: str) -> None:
    if order_type in ("PEG BENCH", "PEGBENCH"):
        reader.skip("pegged to benchmark", 5)


def _conditions(reader: FieldReader) -> int:
    conditions = reader.count("conditions")
    for _ in range(conditions):
        reader.skip("condition", CONDITION_FIELDS.get(reader.integer("conditionType"), 0))
    if conditions:
        reader.skip("conditionsIgnoreRth, conditionsCancelOrder", 2)
    return conditions


def _skip_gated(reader: FieldReader, contract: ContractQuery, order_type: str, version: int) -> None:
    for since in (DURATION_SINCE, POST_TO_ATS_SINCE, AUTO_CANCEL_PARENT_SINCE, ERROR_OVERRIDE_SINCE,
                  MANUAL_TIME_SINCE):
        if version >= since:
            reader.skip(f"the field that version {since} added")
    if version >= PEG_BEST_SINCE:
        _skip_pegged(reader, contract, order_type)


def _skip_pegged(reader: FieldReader, contract: ContractQuery, order_type: str) -> None:
    if contract.exchange == "IBKRATS":
        reader.skip("minTradeQty")
    if order_type in ("PEG BEST", "PEGBEST"):
        reader.skip("minCompeteSize")
        offset = reader.optional_decimal("competeAgainstBestOffset")
        reader.skip("midOffsets", 2 if offset is not None and offset.is_infinite() else 0)
    elif order_type in ("PEG MID", "PEGMID"):
        reader.skip("midOffsets", 2)
