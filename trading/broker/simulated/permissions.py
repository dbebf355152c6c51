"""Which market data an account may see, and how much of it at once (ib_wire.md 3.4, 3.5). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Final

from trading.broker.simulated.refusals import Refusal

DELAY: Final = timedelta(minutes=15)
TICK_BY_TICK_SHARE: Final = 0.05
NOT_SUBSCRIBED: Final = Refusal(
    354, "Requested market data is not subscribed.Check API status by selecting the Account menu then under Management "
         "choose Market Data Subscription Manager and/or availability of delayed data.")
DELAYED_SHOWN: Final = Refusal(10167, "Requested market data is not subscribed. Displaying delayed market data.")
DELAYED_OFF: Final = Refusal(10168, "Requested market data is not subscribed. Delayed market data is not enabled.")


class Subscription(StrEnum):
    """What the account has paid for at an exchange."""

    SUBSCRIBED = "SUBSCRIBED"
    DELAYED = "DELAYED"  # only what is a quarter of an hour old, and only to those who ask for it
    NONE = "NONE"


class DataKind(IntEnum):
    """Of message 59 and message 58."""

    LIVE = 1
    FROZEN = 2  # the last quotes of a closed market
    DELAYED = 3
    DELAYED_FROZEN = 4

    @property
    def is_delayed(self) -> bool:
        return self in (DataKind.DELAYED, DataKind.DELAYED_FROZEN)

    @property
    def age(self) -> timedelta:
        return DELAY if self.is_delayed else timedelta(0)


class Pacing(StrEnum):
    """Which historical requests the pacing rules stop; above 30 seconds a bar the real gateway merely slows down."""

    OFF = "OFF"
    SMALL_BARS = "SMALL_BARS"
    ALL = "ALL"


@dataclass(frozen=True, kw_only=True)
class MarketLimits:
    """How many streams all clients together may have, and how often each may speak."""

    lines: int = 100
    depths: int = 3
    pacing: Pacing = Pacing.SMALL_BARS
    messages_a_second: int = 50  # of one client; one more ends its connection

    @property
    def tick_by_tick(self) -> int:
        return max(1, int(self.lines * TICK_BY_TICK_SHARE))


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """The subscription of each exchange that differs from `everywhere`."""

    everywhere: Subscription = Subscription.SUBSCRIBED
    exchanges: Mapping[str, Subscription] = field(default_factory=dict)

    def of(self, exchange: str) -> Subscription:
        return self.exchanges.get(exchange, self.everywhere)

    def kind_shown(self, exchange: str, asked: DataKind, *, is_open: bool) -> DataKind | Refusal:
        """What a client that asked for `asked` sees, or why it sees nothing.

        Live data wins over delayed data wherever it is subscribed, as on the real gateway.
        """
        subscription = self.of(exchange)
        freezes = asked in (DataKind.FROZEN, DataKind.DELAYED_FROZEN) and not is_open
        if subscription is Subscription.SUBSCRIBED:
            return DataKind.FROZEN if freezes else DataKind.LIVE
        if not asked.is_delayed:
            return NOT_SUBSCRIBED
        if subscription is Subscription.NONE:
            return DELAYED_OFF
        return DataKind.DELAYED_FROZEN if freezes else DataKind.DELAYED
