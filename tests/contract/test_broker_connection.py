"""The adapter's connection against whatever may stand at the address: it says in a sentence what it has found."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from recorded_gateway import GatewayProcess

from trading.broker.account_check import account_problem
from trading.broker.ib.library import IbLibrary
from trading.broker.simulated.control_client import GatewayControl
from trading.config import Mode
from trading.errors import BrokerUnavailable

CONNECT_WITHIN_S = 2.0
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def something_else(serve: Serve) -> AsyncIterator[int]:
    """A server of another kind; its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass


async def closing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def refusal(port: int, client_id: int = 8) -> str:
    """What the adapter says about the address."""
    library = IbLibrary(lambda _kind, _facts: None, 3.0)
    with pytest.raises(BrokerUnavailable) as told:
        await library.connect("127.0.0.1", port, client_id, CONNECT_WITHIN_S)
    library.disconnect()
    return str(told.value)


@pytest.mark.parametrize(("serve", "said"), [
    (http, "is no gateway: it begins with b'HTTP'"), (silent, "accepts connections and says nothing"),
    (closing, "closes the connection at once")])
def test_what_is_no_gateway_is_named(serve: Serve, said: str) -> None:
    async def story() -> None:
        async with something_else(serve) as port:
            answer = await refusal(port)
        assert said in answer
        assert "broker.port" in answer

    asyncio.run(story())


def test_nobody_at_the_port_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "nothing listens there" in asyncio.run(refusal(port))


def test_a_client_id_in_use_is_said_at_once(gateway: GatewayProcess) -> None:
    async def story() -> float:
        first = IbLibrary(lambda _kind, _facts: None, 3.0)
        await first.connect("127.0.0.1", gateway.port, 8, CONNECT_WITHIN_S)
        begun_s = time.monotonic()
        assert "Client id 8 is in use" in await refusal(gateway.port)
        assert first.is_connected
        first.disconnect()
        return time.monotonic() - begun_s

    assert asyncio.run(story()) < CONNECT_WITHIN_S


def test_the_account_that_the_gateway_manages_is_known(gateway: GatewayProcess) -> None:
    assert asyncio.run(with_library(gateway, accounts_of)) == ["DU0000001"]


def test_a_heartbeat_that_nobody_answers_is_noticed_in_its_time(gateway: GatewayProcess) -> None:
    async def beat(library: IbLibrary) -> str:
        GatewayControl(gateway.folder / "state").fault("half_open")
        with pytest.raises(BrokerUnavailable) as told:
            await library.current_time(0.5)
        return str(told.value)

    assert "has not answered a heartbeat for 0.5 s" in asyncio.run(with_library(gateway, beat))


def test_an_adapter_in_any_state_can_be_closed_twice(gateway: GatewayProcess) -> None:
    async def close(library: IbLibrary) -> bool:
        library.disconnect()
        library.disconnect()
        return library.is_connected

    IbLibrary(lambda _kind, _facts: None, 3.0).disconnect()
    assert not asyncio.run(with_library(gateway, close))


@pytest.mark.parametrize(("mode", "configured", "managed", "said"), [
    (Mode.PAPER, "DU1", ["DU1"], None), (Mode.SIMULATED, "DU1", ["DU1"], None), (Mode.LIVE, "U1", ["U2", "U1"], None),
    (Mode.PAPER, "DU1", ["DU2"], "manages DU2, not DU1"), (Mode.PAPER, "DU1", [], "manages no account, not DU1"),
    (Mode.PAPER, "U1", ["U1"], "Mode is paper, and U1 is an account with real money"),
    (Mode.LIVE, "DU1", ["DU1"], "Mode is live, and DU1 is a paper account")])
def test_the_wrong_account_is_never_traded(mode: Mode, configured: str, managed: list[str], said: str | None) -> None:
    problem = account_problem(mode, configured, managed)
    assert (problem is None) if said is None else (problem is not None and said in problem)


async def accounts_of(library: IbLibrary) -> list[str]:
    return library.accounts


async def with_library(gateway: GatewayProcess, act: Callable[[IbLibrary], Coroutine[Any, Any, Any]]) -> Any:
    library = IbLibrary(lambda _kind, _facts: None, 3.0)
    await library.connect("127.0.0.1", gateway.port, 8, CONNECT_WITHIN_S)
    try:
        return await act(library)
    finally:
        library.disconnect()
