"""What a client can ask for: its messages as plain facts (ib_wire.md 2.2). Parsing is in request_parser.py."""

from dataclasses import dataclass

from trading.broker.simulated.data_requests import DataRequest
from trading.broker.simulated.listing import ContractQuery
from trading.broker.simulated.place_order import ComboLeg, PlaceOrder


@dataclass(frozen=True)
class StartApi:
    client_id: int


@dataclass(frozen=True)
class RequestIds:
    pass


@dataclass(frozen=True)
class RequestCurrentTime:
    in_milliseconds: bool = False


@dataclass(frozen=True)
class RequestManagedAccounts:
    pass


@dataclass(frozen=True)
class SetServerLogLevel:
    pass


@dataclass(frozen=True)
class SetMarketDataType:
    kind: int


@dataclass(frozen=True)
class RequestContractDetails:
    req_id: int
    contract: ContractQuery
    include_expired: bool


@dataclass(frozen=True)
class RequestMarketRule:
    rule_id: int


@dataclass(frozen=True)
class RequestMarketData:
    req_id: int
    contract: ContractQuery
    snapshot: bool
    generic_ticks: tuple[str, ...] = ()
    legs: tuple[ComboLeg, ...] = ()


@dataclass(frozen=True)
class CancelMarketData:
    req_id: int


@dataclass(frozen=True, kw_only=True)
class RequestHistoricalData:
    req_id: int
    contract: ContractQuery
    include_expired: bool
    end: str
    bar_size: str
    duration: str
    only_liquid: bool  # useRTH
    what_to_show: str
    format_date: int
    keep_up_to_date: bool
    legs: tuple[ComboLeg, ...] = ()


@dataclass(frozen=True)
class CancelHistoricalData:
    req_id: int


@dataclass(frozen=True)
class RequestHeadTimestamp:
    req_id: int
    contract: ContractQuery
    include_expired: bool
    what_to_show: str
    format_date: int


@dataclass(frozen=True)
class CancelHeadTimestamp:
    req_id: int


@dataclass(frozen=True)
class CancelOrder:
    order_id: int


@dataclass(frozen=True)
class GlobalCancel:
    pass


@dataclass(frozen=True)
class RequestOpenOrders:
    pass


@dataclass(frozen=True)
class RequestAutoOpenOrders:
    bind: bool


@dataclass(frozen=True)
class RequestAllOpenOrders:
    pass


@dataclass(frozen=True)
class RequestCompletedOrders:
    api_only: bool


@dataclass(frozen=True, kw_only=True)
class RequestExecutions:
    """Empty fields and client 0 mean any."""

    req_id: int
    client_id: int
    account: str
    since: str
    symbol: str
    sec_type: str
    exchange: str
    side: str


@dataclass(frozen=True)
class RequestPositions:
    pass


@dataclass(frozen=True)
class CancelPositions:
    pass


@dataclass(frozen=True)
class RequestAccountUpdates:
    subscribe: bool
    account: str


@dataclass(frozen=True)
class RequestAccountUpdatesMulti:
    req_id: int
    account: str
    model: str


@dataclass(frozen=True)
class CancelAccountUpdatesMulti:
    req_id: int


@dataclass(frozen=True)
class RequestAccountSummary:
    req_id: int
    group: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class CancelAccountSummary:
    req_id: int


Request = (
    StartApi | RequestIds | RequestCurrentTime | RequestManagedAccounts | SetServerLogLevel | SetMarketDataType
    | RequestContractDetails | RequestMarketRule | RequestMarketData | CancelMarketData | RequestHistoricalData
    | CancelHistoricalData | RequestHeadTimestamp | CancelHeadTimestamp | PlaceOrder | CancelOrder | GlobalCancel
    | RequestOpenOrders | RequestAutoOpenOrders | RequestAllOpenOrders | RequestCompletedOrders | RequestExecutions
    | RequestPositions | CancelPositions | RequestAccountUpdates | RequestAccountUpdatesMulti
    | CancelAccountUpdatesMulti | RequestAccountSummary | CancelAccountSummary | DataRequest
)
