"""The sockets of the simulated gateway: the only asynchronous file. It carries bytes and decides nothing.

Two doors: the wire for clients, and a Unix socket in the folder of the gateway for whoever scripts its faults.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trading.broker.simulated import responses
from trading.broker.simulated.control import Control
from trading.broker.simulated.faults.fault import FaultKind
from trading.broker.simulated.faults.flood import Flood
from trading.broker.simulated.faults.strike import strike
from trading.broker.simulated.faults.wire_faults import BREAKING, BYTES
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.handshake import MAGIC, agreed_version
from trading.broker.simulated.moving_clock import MovingClock
from trading.broker.simulated.recorded_market import RecordedMarket
from trading.broker.simulated.session import Session
from trading.broker.simulated.settings import CONTROL_SOCKET, GatewaySettings
from trading.broker.simulated.wire import FrameDecoder, OversizedFrame, as_bursts, encode, split_fields
from trading.broker.simulated.world import World
from trading.clock import Clock
from trading.unix_socket import short_path

log = logging.getLogger(__name__)

POLL_S: Final = 1.0
TICK_S: Final = 0.05
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
        moving = MovingClock(clock)
        gateway = Gateway(market, settings, moving, world)
        for fault in settings.faults:
            strike(gateway, fault)
        await _Server(gateway, Control(gateway, moving)).run(on_ready)
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
        self._is_half_open = False

    async def greet(self) -> bool:
        """Agree on a version; nothing else is sent before startApi, or the official clients lose it."""
        now_s = self._gateway.clock.monotonic_s()
        if self._gateway.faults.holds(FaultKind.UNREACHABLE, now_s):
            return False
        if await self._reader.readexactly(len(MAGIC)) != MAGIC:
            return False
        while self._gateway.faults.holds(FaultKind.MUTE, self._gateway.clock.monotonic_s()):
            await asyncio.sleep(TICK_S)
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
            if session is not None and not session.is_closing and not session.is_broken:
                session.receive(split_fields(frame))
        return session is not None and (session.is_closing or session.is_broken)

    def dismiss(self) -> None:
        if self.session is not None:
            self._gateway.dismiss(self.session)

    def abort(self) -> None:
        self._writer.transport.abort()

    async def read_frames(self) -> list[bytes] | None:
        """The next frames; None when the client has gone."""
        data = await self._reader.read(READ_BYTES)
        while self._is_half_open and data:  # whatever is said there is said to nobody
            data = await self._reader.read(READ_BYTES)
        return self._decoder.feed(data) if data else None

    async def flush(self) -> None:
        """Write what the session wants to say."""
        async with self._writing:
            messages = self.session.take_outbox() if self.session else []
            if self._is_half_open or (self.session is not None and self.session.is_broken):
                return
            for place, part in enumerate(as_bursts(b"".join(encode(message) for message in messages))):
                if place:
                    await asyncio.sleep(PAUSE_S)
                self._writer.write(part)
            self._damage()
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            self.abort()

    def _damage(self) -> None:
        """The faults of this socket, behind what was said before them."""
        faults = self.session.wire_faults if self.session else []
        while faults:
            kind = faults.pop(0).kind
            self._writer.write(BYTES.get(kind, b""))
            self._is_half_open |= kind is FaultKind.HALF_OPEN
            if kind is FaultKind.RESET:
                _reset(self._writer)
            elif kind in BREAKING:
                self._writer.close()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _first_frame(self) -> bytes:
        length = int.from_bytes(await self._reader.readexactly(4), "big")
        return await self._reader.readexactly(length) if length < READ_BYTES else b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with RST instead of FIN, and forget what was not sent."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class _Server:
    """All connections of one gateway, its poll and its matching."""

    def __init__(self, gateway: Gateway, control: Control) -> None:
        self._gateway = gateway
        self._control = control
        self._connections: set[_Connection] = set()
        self._matching: asyncio.Task[None] | None = None
        self._flood = Flood()

    async def run(self, on_ready: Callable[[int], None]) -> None:
        settings = self._gateway.settings
        server = await asyncio.start_server(self._converse, settings.host, settings.port)
        with short_path(settings.state / CONTROL_SOCKET) as address:
            Path(address).unlink(missing_ok=True)
            control = await asyncio.start_unix_server(self._obey, address)
        try:
            with contextlib.suppress(ValueError, RuntimeError):  # only the main thread hears signals
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._control.stop)
            on_ready(server.sockets[0].getsockname()[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._poll())
                group.create_task(self._tick())
        finally:
            control.close()
            (settings.state / CONTROL_SOCKET).unlink(missing_ok=True)
            server.close()
            for connection in self._connections:
                connection.abort()

    async def _poll(self) -> None:
        while not self._control.is_stopping:
            self._gateway.poll()
            await self._flush_all()
            await asyncio.sleep(POLL_S)

    async def _tick(self) -> None:
        """What faults have kept back is sent when it is due, and what they make up, often enough."""
        then_s = self._gateway.clock.monotonic_s()
        while not self._control.is_stopping:
            await asyncio.sleep(TICK_S)
            now_s = self._gateway.clock.monotonic_s()
            self._send_flood(now_s, now_s - then_s)
            then_s = now_s
            if any(session.outbox or session.outgoing.next_s for session in self._gateway.sessions.values()):
                await self._flush_all()

    def _send_flood(self, now_s: float, since_s: float) -> None:
        fault = self._gateway.faults.holds(FaultKind.FLOOD, now_s)
        count = 0 if fault is None else self._flood.due(fault.size, since_s)
        for session in self._gateway.sessions.values() if count else ():
            session.flood(count)

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a line; the clients hear at once what came of it."""
        while line := await reader.readline():
            answer = self._control.answer(line)
            self._gateway.match()
            await self._flush_all()
            writer.write(answer)
        writer.close()

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
