"""What no client does by itself: C26 and C35, by a socket of our own."""

import socket
import struct

import pytest
from gateway_process import GatewayProcess

pytestmark = pytest.mark.clients
HELLO = b"API\0" + struct.pack(">I", 9) + b"v157..178"


def frame(*fields: str) -> bytes:
    payload = b"".join(field.encode() + b"\0" for field in fields)
    return struct.pack(">I", len(payload)) + payload


def connected(gateway: GatewayProcess) -> socket.socket:
    end = socket.create_connection(("127.0.0.1", gateway.port), timeout=5.0)
    end.sendall(HELLO)
    assert end.recv(4096)[4:].startswith(b"178\0")
    end.sendall(frame("71", "2", "77", ""))
    return end


def read_to_end(end: socket.socket) -> bytes:
    heard = b""
    try:
        while part := end.recv(65536):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def test_c26_the_fifty_first_message_of_a_second_ends_the_connection(gateway: GatewayProcess) -> None:
    with connected(gateway) as end:
        end.sendall(frame("49", "1") * 51)
        heard = read_to_end(end)
    assert b"\x00100\x00Max rate of messages per second has been exceeded" in heard


def test_c26_fifty_messages_a_second_are_answered(gateway: GatewayProcess) -> None:
    with connected(gateway) as end:
        end.sendall(frame("49", "1") * 49)
        heard = b""
        while heard.count(b"49\x001\x00") < 49:
            heard += end.recv(65536)
    assert b"Max rate" not in heard


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.1\r\n\r\n", b"API\0\x00\x00\x00\x05hello",
                                   b"API\0\x00\x00\x00\x09v100..156", b"\x16\x03\x01\x02\x00",
                                   b"API\0\xff\xff\xff\xff"])
def test_c35_garbage_ends_its_own_connection_only(gateway: GatewayProcess, hello: bytes) -> None:
    with connected(gateway) as ours:
        ours.recv(65536)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5.0) as intruder:
            intruder.sendall(hello)
            assert read_to_end(intruder) == b""
        ours.sendall(frame("49", "1"))
        assert ours.recv(65536)
