"""Which contract a data request means: a listed one, a continuous future, or a combination."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trading.broker.simulated import order_contract
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.listing import BAG, FUTURE, ContractQuery, ListedContract
from trading.broker.simulated.permissions import DELAYED_SHOWN, DataKind
from trading.broker.simulated.place_order import ComboLeg
from trading.broker.simulated.refusals import VALIDATION, Refusal

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

CONTINUOUS: Final = "CONTFUT"  # for data only: the contract that expires next
NOT_FOUND: Final = Refusal(200, "No security definition has been found for the request")
NO_SEC_TYPE: Final = Refusal(321, f"{VALIDATION}Please enter a valid security type")


def asked(gateway: Gateway, query: ContractQuery, legs: Sequence[ComboLeg] = (), *,
          include_expired: bool = False) -> ListedContract | Refusal:
    """The contract that `query` names, or why there is not exactly one."""
    if not (query.con_id or query.sec_type):
        return NO_SEC_TYPE
    if query.sec_type == BAG:
        named = order_contract.named(query, legs, gateway.listing, gateway.now())
        return named if isinstance(named, Refusal) else named.contract
    continuous = query.sec_type == CONTINUOUS
    wanted = replace(query, sec_type=FUTURE, last_trade_date_or_month="") if continuous else query
    found = gateway.listing.find(wanted, gateway.now(), include_expired=include_expired and not continuous)
    if len(found) > 1 and not continuous:
        return Refusal(200, f"The contract description specified for {query.symbol} is ambiguous.")
    return found[0] if found else NOT_FOUND


def passing(contract: ListedContract | Refusal,
            check: Callable[[ListedContract], Refusal | None]) -> ListedContract | Refusal:
    """`contract`, unless it was not found or `check` refuses it."""
    return contract if isinstance(contract, Refusal) else check(contract) or contract


def kind_shown(gateway: Gateway, session: "Session", contract: ListedContract) -> DataKind | Refusal:
    """How fresh the data are that this session sees of `contract`, or why it sees none."""
    exchange = contract.facts.exchange
    is_open = gateway.settings.timetable.is_open(exchange, gateway.now())
    return gateway.settings.permissions.kind_shown(exchange, session.data_kind, is_open=is_open)


def warn_of_delay(session: "Session", req_id: int, kind: DataKind) -> None:
    if kind.is_delayed:
        session.refuse(req_id, DELAYED_SHOWN)
