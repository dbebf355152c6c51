"""What the broker service works with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from daemon.leadership import Leadership
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from trading.broker_config import BrokerConfig
from trading.clock import Clock
from trading.config import Mode


@dataclass(frozen=True, kw_only=True)
class BrokerParts:
    """The surroundings of one connection."""

    store: AsyncStore
    journal: JournalWriter
    leadership: Leadership
    clock: Clock
    settings: BrokerConfig
    mode: Mode
    halt_flag: Path  # while this file exists nothing is sent, whatever the store says
    address: Callable[[], tuple[str, int]]  # asked at each attempt: a restarted gateway may have moved
