"""Mode simulated: recorded or generated markets, the moment that is played, and the gateway that plays it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.children.child_process import ChildProcess
from daemon.market.recorded_day import day_to_play, instant_of, not_before
from daemon.places import Places
from daemon.store.embedded_store import accepts_connections, free_port
from trading.clock import OFFSET_VARIABLE, SystemClock, clock_as_of
from trading.config import MONGO_URI_VARIABLE, Config, Mode
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.settings import MongoSettings, Playback
from trading.errors import ConfigError, TradingError


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asked for."""

    play_day: bool = False  # run one whole trading day at once
    once: bool = False  # end after the day
    again: bool = False  # the same recorded day once more
    data: Path | None = None  # a pysystemtrade folder; None: data that we generate


@dataclass(frozen=True, kw_only=True)
class RecordedMarket:
    """What mode simulated adds to the service; in the other modes it adds nothing."""

    config: Config
    places: Places
    wishes: Wishes
    store: MongoStore
    store_uri: str
    say: Callable[[str], None]

    async def bring_data(self) -> None:
        """On a store without: import recorded data, generated if none was named; an import that broke off goes on.

        Raises:
            TradingError: it has broken off.
        """
        settings = MongoSettings(self.store)
        if self.config.service.mode is not Mode.SIMULATED or await asyncio.to_thread(settings.has_imported):
            return
        folder = self.wishes.data or self.places.sample_data
        if self.wishes.data is None and not (folder / "csvconfig").is_dir():
            self.say(f"No data was named: generating sample markets under {folder}.")
            await self._tradectl("import", "sample", str(folder))
        await self._tradectl("import", "pysystemtrade", str(folder), "--hold-back", "20", "--brief")
        if not await asyncio.to_thread(settings.has_imported):
            raise TradingError(f"The import of {folder} has broken off; see the lines above. Start again: it goes on "
                               f"where it was.")

    def playback(self) -> Playback | None:
        """The recorded day that is played, if one is."""
        service = self.config.service
        if service.mode is not Mode.SIMULATED or service.clock.as_of is not None:
            return None
        return MongoSettings(self.store).playback()

    def clock(self) -> SystemClock:
        """The machine's clock, or in mode simulated one that shows the moment to play.

        Raises:
            ConfigError: another mode asks for the past.
        """
        service = self.config.service
        if service.mode is not Mode.SIMULATED:
            if service.clock.as_of is not None:
                raise ConfigError(f"clock.as_of is set, but the mode is {service.mode}; only mode simulated can play "
                                  f"the past. Remove clock.as_of from tradingd.yaml.")
            return SystemClock()
        if service.clock.as_of is not None:
            return clock_as_of(service.clock.as_of)
        playback = self.playback()
        if playback is None:
            return SystemClock()
        same = self.wishes.again or (not self.wishes.play_day and playback.current is not None)
        instant = instant_of(day_to_play(playback, same), service.day_at, service.zone)
        return clock_as_of(not_before(instant, MongoProcesses(self.store).last_moment(), service.zone))

    @asynccontextmanager
    async def gateway(self, clock: SystemClock) -> AsyncIterator[Callable[[], tuple[str, int]]]:
        """Where the gateway listens; in mode simulated it is a child of ours."""
        broker = self.config.service.broker
        if self.config.service.mode is not Mode.SIMULATED:
            yield lambda: (broker.host, broker.port)
            return
        port = broker.simulated.port or free_port()
        child = self._gateway_process(port, clock)
        await child.start()
        try:
            yield lambda: ("127.0.0.1", port)
        finally:
            await child.stop()

    def _gateway_process(self, port: int, clock: SystemClock) -> ChildProcess:
        broker, playback = self.config.service.broker, self.playback()
        source = playback.source if playback else str(self.wishes.data or self.places.sample_data)
        return ChildProcess(
            name="simulated gateway", log_file=self.places.logs / "gateway.log",
            command=lambda: (sys.executable, "-m", "daemon.market.simulated_gateway", "--data", source, "--state",
                             str(self.places.gateway), "--port", str(port), "--account", broker.account, "--cash",
                             str(broker.simulated.starting_cash), "--lots", str(broker.simulated.lots),
                             "--zone", self.config.service.timezone),
            ready=lambda: accepts_connections(port, 60.0),
            environment={OFFSET_VARIABLE: repr(clock.offset.total_seconds())})

    async def _tradectl(self, *words: str) -> None:
        """Say what the command says; it must not wait for who reads our output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "daemon.cli", "--config", str(self.config.folder), "--state", str(self.places.state),
            *words, env=os.environ | {MONGO_URI_VARIABLE: self.store_uri}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        assert process.stdout is not None
        async for line in process.stdout:
            self.say(line.decode(errors="replace").rstrip("\n"))
        if await process.wait() not in (0, 1):
            raise TradingError(f"`tradectl {' '.join(words)}` failed; see the lines above.")
