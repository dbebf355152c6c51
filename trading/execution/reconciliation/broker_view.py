"""What the broker says: positions, orders, executions; each part whole, or no evidence at all. Pure.

A query that failed, or that gave some rows and no end, is not an empty answer: it never means flat or absent (V35,
orders_and_risk.md 4.1). Only a part in `answered` may be concluded from; what lies in the others is not looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from trading.execution.fills import execution_base

_WORKING: Final = frozenset({"ApiPending", "PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel"})


class Part(StrEnum):
    """One question to the broker."""

    POSITIONS = "positions"
    OPEN_ORDERS = "open orders"  # of all clients
    COMPLETED_ORDERS = "completed orders"
    EXECUTIONS = "executions"
    CASH = "cash"
    CONTRACTS = "contracts"


@dataclass(frozen=True, kw_only=True)
class SeenOrder:
    """An order that the broker lists. `contract` is our key, or "unknown SYMBOL/conid"; `lots` carry no sign."""

    reference: str
    perm_id: int
    contract: str
    status: str
    lots: int | None = None
    limit: Decimal | None = None
    client_id: int = 0
    side: int = 0  # +1 buys; 0: not told
    con_id: int = 0
    ib_order_id: int = 0  # 0: of another client
    order_type: str = ""
    time_in_force: str = ""
    exchange: str = ""

    @property
    def is_working(self) -> bool:
        return self.status in _WORKING


@dataclass(frozen=True, kw_only=True)
class SeenExecution:
    """An execution that the broker lists; `fill` is the id that our books give it, whatever its revision."""

    fill: str
    reference: str
    contract: str
    quantity: int
    at: datetime | None = None  # None: its time zone is not known


@dataclass(frozen=True, kw_only=True)
class ContractTerms:
    """What must never change unnoticed."""

    multiplier: Decimal
    min_tick: Decimal
    currency: str
    last_trade: date | None


@dataclass(frozen=True, kw_only=True)
class BrokerView:
    """One look at the broker, over one connection.

    `answered` holds each part whose answer came with its end, `failures` a sentence for each that was asked for and
    did not; a part in neither was not asked for.
    """

    epoch: str
    at: datetime
    account: str = ""
    answered: frozenset[Part] = frozenset()
    failures: Mapping[Part, str] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    open_orders: tuple[SeenOrder, ...] = ()
    completed_orders: tuple[SeenOrder, ...] = ()
    executions: tuple[SeenExecution, ...] = ()
    cash: Mapping[str, Decimal] = field(default_factory=dict)  # by currency
    net_liquidation: Decimal | None = None
    contracts: Mapping[str, ContractTerms] = field(default_factory=dict)

    def __post_init__(self) -> None:
        both = sorted(self.answered & self.failures.keys())
        if both:
            raise ValueError(f"The answer about {', '.join(both)} cannot be whole and have failed.")

    def knows(self, *parts: Part) -> bool:
        """Whether something may be concluded from all of `parts`."""
        return self.answered.issuperset(parts)


def reference_of(text: str) -> str:
    """An order reference without what the broker may append behind a colon (orders_and_risk.md 2.1)."""
    return text.partition(":")[0]


def unknown_contract(symbol: str, con_id: int) -> str:
    """What stands for our key when nobody has told us of a contract."""
    return f"unknown {symbol}/{con_id}"


def is_unknown(contract: str) -> bool:
    """Whether `contract` is none of ours."""
    return contract.startswith("unknown ")


def seen_order(facts: Mapping[str, Any], contract_of: Callable[[int], str | None]) -> SeenOrder:
    """The order in an open-order or completed-order message of the journal."""
    limit, con_id = facts.get("limit"), facts["con_id"]
    return SeenOrder(reference=reference_of(facts["reference"]), perm_id=facts["perm_id"], status=facts["status"],
                     contract=contract_of(con_id) or unknown_contract("contract", con_id), lots=facts.get("lots"),
                     limit=None if limit is None else Decimal(limit), client_id=facts.get("client_id", 0),
                     side=facts.get("side", 0), con_id=con_id, ib_order_id=facts.get("ib_order_id", 0),
                     order_type=facts.get("order_type", ""), time_in_force=facts.get("time_in_force", ""),
                     exchange=facts.get("exchange", ""))


def seen_execution(facts: Mapping[str, Any], contract_of: Callable[[int], str | None]) -> SeenExecution:
    """The execution in a message of the journal. The summary row of a spread (security BAG) is none: leave it out."""
    return SeenExecution(fill=f"{facts['account']}/{execution_base(facts['execution_id'])[0]}",
                         reference=reference_of(facts["reference"]), quantity=facts["quantity"], at=facts["at"],
                         contract=contract_of(facts["con_id"]) or unknown_contract("contract", facts["con_id"]))
