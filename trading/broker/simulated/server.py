"""The sockets of the simulated gateway: the only asynchronous file. It carries bytes and decides nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from trading.broker.simulated import responses
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.handshake import MAGIC, agreed_version
from trading.broker.simulated.recorded_market import RecordedMarket
from trading.broker.simulated.session import Session
from trading.broker.simulated.settings import GatewaySettings
from trading.broker.simulated.wire import FrameDecoder, OversizedFrame, as_bursts, encode, split_fields
from trading.broker.simulated.world import World
from trading.clock import Clock

log = logging.getLogger(__name__)

POLL_S: Final = 1.0
MATCH_DELAY_S: Final = 0.03  # the real gateway fills a market order about 37 ms after it accepted it
PAUSE_S: Final = 0.005  # between the writes of a burst that must not end at 4096 bytes
READ_BYTES: Final = 65536
UNSENT_BYTES: Final = 64 * 1024 * 1024  # a client that stopped reading is cut off beyond this


async def serve(market: RecordedMarket, settings: GatewaySettings, clock: Clock,
                on_ready: Callable[[int], None]) -> None:
    """Run the gateway until cancelled; `on_ready` hears the port once it listens.

    Raises:
        StateInUse: another gateway works on `settings.state`.
        OSError: the port is taken.
    """
    world = World(settings.state)
    try:
        await _Server(Gateway(market, settings, clock, world)).run(on_ready)
    finally:
        world.close()


class _Connection:
    """One socket and the conversation on it."""

    def __init__(self, gateway: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session: Session | None = None
        self._gateway = gateway
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder()
        self._writing = asyncio.Lock()

    async def greet(self) -> bool:
        """Agree on a version; nothing else is sent before startApi, or the official clients lose it."""
        if await self._reader.readexactly(len(MAGIC)) != MAGIC:
            return False
        hello = await self._first_frame()
        version = agreed_version(hello, self._gateway.settings.max_version)
        if version is None:
            log.warning("refused a client that said %r", hello[:40])
            return False
        self.session = Session(self._gateway, version)
        self._writer.write(encode(responses.handshake(version, self._gateway.now(), self._gateway.zone)))
        return True

    def receive(self, frames: list[bytes]) -> bool:
        """Let the session answer; True when it wants to end the conversation."""
        session = self.session
        for frame in frames:
            if session is not None and not session.is_closing:
                session.receive(split_fields(frame))
        return session is not None and session.is_closing

    def dismiss(self) -> None:
        if self.session is not None:
            self._gateway.dismiss(self.session)

    def abort(self) -> None:
        self._writer.transport.abort()

    async def read_frames(self) -> list[bytes] | None:
        """The next frames; None when the client has gone."""
        data = await self._reader.read(READ_BYTES)
        return self._decoder.feed(data) if data else None

    async def flush(self) -> None:
        """Write what the session wants to say."""
        async with self._writing:
            messages = self.session.take_outbox() if self.session else []
            for place, part in enumerate(as_bursts(b"".join(encode(message) for message in messages))):
                if place:
                    await asyncio.sleep(PAUSE_S)
                self._writer.write(part)
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            self.abort()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _first_frame(self) -> bytes:
        length = int.from_bytes(await self._reader.readexactly(4), "big")
        return await self._reader.readexactly(length) if length < READ_BYTES else b""


class _Server:
    """All connections of one gateway, its poll and its matching."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._connections: set[_Connection] = set()
        self._matching: asyncio.Task[None] | None = None

    async def run(self, on_ready: Callable[[int], None]) -> None:
        settings = self._gateway.settings
        server = await asyncio.start_server(self._converse, settings.host, settings.port)
        try:
            on_ready(server.sockets[0].getsockname()[1])
            await self._poll()
        finally:
            server.close()
            for connection in self._connections:
                connection.abort()

    async def _poll(self) -> None:
        while True:
            self._gateway.poll()
            await self._flush_all()
            await asyncio.sleep(POLL_S)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._gateway, reader, writer)
        self._connections.add(connection)
        try:
            if await connection.greet():
                await self._listen(connection)
        except (ConnectionError, asyncio.IncompleteReadError, OversizedFrame) as error:
            log.info("client gone: %s", error)
        finally:
            self._connections.discard(connection)
            connection.dismiss()
            await connection.close()

    async def _listen(self, connection: _Connection) -> None:
        while (frames := await connection.read_frames()) is not None:
            is_closing = connection.receive(frames)
            self._match_soon()
            await self._flush_all()
            if is_closing:
                return

    def _match_soon(self) -> None:
        """New orders meet the market a moment after they were acknowledged, as on the real gateway."""
        if self._gateway.is_match_due and (self._matching is None or self._matching.done()):
            self._matching = asyncio.create_task(self._match_later())

    async def _match_later(self) -> None:
        await asyncio.sleep(MATCH_DELAY_S)
        self._gateway.match()
        await self._flush_all()

    async def _flush_all(self) -> None:
        """A message of one client can concern them all."""
        for connection in tuple(self._connections):
            await connection.flush()
