"""What a client can ask about markets beyond quotes and bars, and about profits: plain facts (ib_wire.md 2.2)."""

from dataclasses import dataclass

from trading.broker.simulated.listing import ContractQuery


@dataclass(frozen=True, kw_only=True)
class RequestTickByTick:
    req_id: int
    contract: ContractQuery
    kind: str
    past_ticks: int  # that come first
    ignores_size: bool


@dataclass(frozen=True)
class CancelTickByTick:
    req_id: int


@dataclass(frozen=True, kw_only=True)
class RequestDepth:
    req_id: int
    contract: ContractQuery
    rows: int
    is_smart: bool


@dataclass(frozen=True)
class CancelDepth:
    req_id: int


@dataclass(frozen=True, kw_only=True)
class RequestRealTimeBars:
    req_id: int
    contract: ContractQuery
    what_to_show: str


@dataclass(frozen=True)
class CancelRealTimeBars:
    req_id: int


@dataclass(frozen=True, kw_only=True)
class RequestHistoricalTicks:
    """Exactly one of `start` and `end` is filled in."""

    req_id: int
    contract: ContractQuery
    include_expired: bool
    start: str
    end: str
    count: int
    what_to_show: str


@dataclass(frozen=True, kw_only=True)
class RequestHistogram:
    req_id: int
    contract: ContractQuery
    include_expired: bool
    period: str


@dataclass(frozen=True)
class CancelHistogram:
    req_id: int


@dataclass(frozen=True)
class RequestMatchingSymbols:
    req_id: int
    pattern: str


@dataclass(frozen=True)
class RequestUserInfo:
    req_id: int


@dataclass(frozen=True)
class RequestProfit:
    req_id: int
    account: str
    model: str


@dataclass(frozen=True)
class CancelProfit:
    req_id: int


@dataclass(frozen=True)
class RequestSingleProfit:
    req_id: int
    account: str
    model: str
    con_id: int


@dataclass(frozen=True)
class CancelSingleProfit:
    req_id: int


@dataclass(frozen=True)
class RequestPositionsMulti:
    req_id: int
    account: str
    model: str


@dataclass(frozen=True)
class CancelPositionsMulti:
    req_id: int


@dataclass(frozen=True)
class RequestDepthExchanges:
    pass


@dataclass(frozen=True)
class RequestEmptyList:
    """Something of which this gateway has none, and says so: `message_id` is that of the answer."""

    message_id: str
    identity: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestOptionParameters:
    req_id: int


@dataclass(frozen=True)
class Unserved:
    """A request that the real gateway answers and this one refuses by name."""

    req_id: int
    name: str


@dataclass(frozen=True)
class Unheard:
    """A cancel of something that this gateway never began: no answer, as on the real one."""


DataRequest = (
    RequestTickByTick | CancelTickByTick | RequestDepth | CancelDepth | RequestRealTimeBars | CancelRealTimeBars
    | RequestHistoricalTicks | RequestHistogram | CancelHistogram | RequestMatchingSymbols | RequestUserInfo
    | RequestProfit | CancelProfit | RequestSingleProfit | CancelSingleProfit | RequestPositionsMulti
    | CancelPositionsMulti | RequestDepthExchanges | RequestEmptyList | RequestOptionParameters | Unserved | Unheard
)
