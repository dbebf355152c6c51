"""Builds the messages about fills: execDetails, commissionReport (ib_wire.md 2.4). Pure."""

from typing import Final

from trading.broker.simulated.combination import WIRE_CON_ID
from trading.broker.simulated.hours import ExecutionStamps
from trading.broker.simulated.listing import BAG, ContractFacts
from trading.broker.simulated.orders import Action, Execution
from trading.broker.simulated.responses import UNSET_DOUBLE, Message, number

PRICE_REVISION_SINCE: Final = 178
SUBMITTER_SINCE: Final = 198


def wire_con_id(facts: ContractFacts) -> str:
    """What the client hears: every combination has the same number."""
    return str(WIRE_CON_ID if facts.sec_type == BAG else facts.con_id)


def execution(req_id: int, fill: Execution, facts: ContractFacts, stamps: ExecutionStamps,
              version: int) -> Message:
    side = "BOT" if fill.action is Action.BUY else "SLD"
    fields = (
        "11", str(req_id), str(fill.order_id), wire_con_id(facts), facts.symbol, facts.sec_type,
        "" if facts.sec_type == BAG else facts.expiry, "0.0", "", "" if facts.sec_type == BAG else facts.multiplier,
        facts.exchange, facts.currency, facts.local_symbol, facts.trading_class, fill.exec_id,
        stamps.text(fill.time, version), fill.account, facts.exchange, side, str(fill.shares),
        number(fill.price), str(fill.perm_id), str(fill.client_id), "1" if fill.is_liquidation else "0",
        str(fill.cumulative or fill.shares), number(fill.average or fill.price), fill.order_ref, "", "", "", "1")
    later = ((PRICE_REVISION_SINCE, "0"), (SUBMITTER_SINCE, ""))
    return (*fields, *(value for since, value in later if version >= since))


def commission_report(fill: Execution) -> Message:
    realised = UNSET_DOUBLE if fill.realised is None else number(fill.realised)
    return ("59", "1", fill.exec_id, number(fill.commission), fill.currency, realised, UNSET_DOUBLE, "")
