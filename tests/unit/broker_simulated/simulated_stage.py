"""A gateway without sockets: sessions that one talks to directly, a clock that one moves, and a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from simulated_record import ACCOUNT, NOON, a_market

from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.recorded_market import RecordedMarket
from trading.broker.simulated.session import Session
from trading.broker.simulated.settings import GatewaySettings
from trading.broker.simulated.world import World

MARKET = cache(a_market)


@dataclass
class MovableClock:
    """Shows what it is told to."""

    instant: datetime = NOON
    elapsed_s: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic_s(self) -> float:
        self.elapsed_s += 0.05  # so slow that no test trips over the rate limit unawares
        return self.elapsed_s


@dataclass
class Stage:
    """The parts of a gateway, and short words for what a client does."""

    folder: Path
    clock: MovableClock = field(default_factory=MovableClock)
    market: RecordedMarket = field(default_factory=MARKET)
    options: Mapping[str, Any] = field(default_factory=dict)  # of the settings

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.world = World(self.folder)
        settings = GatewaySettings(state=self.folder, account=ACCOUNT, **self.options)
        self.gateway = Gateway(self.market, settings, self.clock, self.world)

    def restart(self) -> None:
        self.world.close()
        self.start()

    def a_client(self, client_id: int = 8, version: int = 178) -> Session:
        session = Session(self.gateway, version)
        session.receive(["71", "2", str(client_id), ""])
        session.take_outbox()
        return session

    def ask(self, session: Session, fields: list[str]) -> list[tuple[str, ...]]:
        """Send one message, let the market answer, and return what came back."""
        session.receive(fields)
        self.gateway.match()
        return session.take_outbox()

    def move_to(self, instant: datetime) -> None:
        self.clock.instant = instant
        self.gateway.poll()


def kinds(messages: list[tuple[str, ...]]) -> list[str]:
    """The shape of an answer: message ids, with the code of errors and the status of orderStatus."""
    names = {"4": lambda m: f"error {m[3]}", "3": lambda m: f"status {m[2]}"}
    return [names.get(message[0], lambda m: m[0])(message) for message in messages]
