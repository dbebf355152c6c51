"""What the gateway does to a client that asks too much or what it may not, over a real socket (C26, C30, C33)."""

import socket
import struct

import ib_async
import pytest
from recorded_gateway import NOON, PATIENCE_S, GatewayProcess
from test_simulated_gateway import a_limit, connected, play, qualified, until

from trading.broker.simulated.control_client import GatewayControl

HELLO = b"API\0" + struct.pack(">I", 9) + b"v157..178"
CURRENT_TIME = struct.pack(">I", 5) + b"49\x001\x00"
START_API = struct.pack(">I", 9) + b"71\x002\x0077\x00\x00"


def control_of(gateway: GatewayProcess) -> GatewayControl:
    return GatewayControl(gateway.folder / "state")


def raw_client(gateway: GatewayProcess) -> socket.socket:
    end = socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE_S)
    end.sendall(HELLO)
    assert end.recv(4096)[4:].startswith(b"178\0")
    end.sendall(START_API)
    return end


def heard_until_the_end(end: socket.socket) -> bytes:
    heard = b""
    while part := end.recv(65536):
        heard += part
    return heard


def test_c26_the_message_too_many_is_told_then_the_connection_ends(gateway: GatewayProcess) -> None:
    with raw_client(gateway) as end:
        end.sendall(CURRENT_TIME * 50)  # startApi was the first of the 51
        heard = heard_until_the_end(end)
    assert heard.count(b"49\x001\x00") == 49
    assert b"-1\x00100\x00Max rate of messages per second has been exceeded:max=50" in heard


def test_c26_fifty_messages_in_a_second_are_answered(gateway: GatewayProcess) -> None:
    with raw_client(gateway) as end:
        end.sendall(CURRENT_TIME * 49)
        heard = b""
        while heard.count(b"49\x001\x00") < 49:
            heard += end.recv(65536)
    assert b"Max rate" not in heard


def test_c26_the_limit_is_each_clients_own_and_can_be_set(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        with raw_client(gateway) as end:
            control_of(gateway).settings(**{"limits.messages_a_second": 5})
            end.sendall(CURRENT_TIME * 6)
            assert b"has been exceeded:max=5" in heard_until_the_end(end)
        control_of(gateway).settings(**{"limits.messages_a_second": 50})
        assert await ib.reqCurrentTimeAsync() == NOON
        ib.disconnect()
    play(story)


@pytest.mark.parametrize("style", ["ZONE", "UTC_DASH"])
def test_c30_a_client_that_knows_the_zone_reads_the_instant_of_a_fill(gateway: GatewayProcess, style: str) -> None:
    async def story() -> None:
        control_of(gateway).settings(execution_times=style)
        ib = await connected(gateway)
        ib.TimezoneTWS = "UTC"
        trade = ib.placeOrder(await qualified(ib), ib_async.MarketOrder("BUY", 1, tif="DAY"))
        await until(lambda: bool(trade.fills))
        assert trade.fills[0].execution.time == NOON
        ib.disconnect()
    play(story)


def test_c33_a_gateway_that_may_only_be_read_refuses_orders_and_shows_those_that_rest(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        codes: list[int] = []
        future = await qualified(ib)
        resting = ib.placeOrder(future, a_limit("BUY", 1, 4300.0, "resting"))
        await until(lambda: resting.orderStatus.status == "Submitted")
        control_of(gateway).settings(read_only="ORDERS_SHOWN")
        ib.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
        ib.placeOrder(future, a_limit("BUY", 1, 4300.0, "refused"))
        ib.cancelOrder(resting.order)
        await until(lambda: codes == [321, 321])
        again = await connected(gateway, 9)
        assert [trade.order.orderRef for trade in await again.reqAllOpenOrdersAsync()] == ["resting"]
        again.disconnect()
        ib.disconnect()
    play(story)


def test_c33_a_client_that_knows_of_read_only_connects_though_orders_are_hidden(gateway: GatewayProcess) -> None:
    async def story() -> None:
        control_of(gateway).settings(read_only="ORDERS_HIDDEN")
        ib, codes = ib_async.IB(), []
        ib.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=8, timeout=PATIENCE_S, readonly=True)
        assert 321 not in codes
        ib.client.reqOpenOrders()
        await until(lambda: 321 in codes)
        ib.disconnect()
    play(story)
