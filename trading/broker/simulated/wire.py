"""Frames and fields of the TWS API text protocol (ib_wire.md 2.1). Pure: bytes in, bytes out.

A frame is a four-byte big-endian length and a payload; a payload is fields, each ended by NUL. What the fields
mean is no business of this module.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from trading.errors import BrokerError

MAX_FRAME_BYTES: Final = 16 * 1024 * 1024 - 1
PREFIX_BYTES: Final = 4
CHUNK_BYTES: Final = 4096  # the official clients lose a burst that ends at a multiple of this (ib_wire.md 1.6)


class OversizedFrame(BrokerError):
    """A length prefix announces more than any client sends: the peer does not speak our protocol."""

    def __init__(self, length: int) -> None:
        super().__init__(f"A frame of {length} bytes was announced (allowed: {MAX_FRAME_BYTES}). "
                         f"The peer does not speak the TWS API; the connection is closed.")


def encode(fields: Sequence[str]) -> bytes:
    """One frame of `fields`; text outside ASCII and backslashes travel as \\uXXXX, which every client reads."""
    text = "\0".join(fields)
    is_plain = text.isascii() and "\\" not in text and text.count("\0") == len(fields) - 1  # nearly all are
    payload = text.encode("ascii") + b"\0" if is_plain else b"".join(_escaped(each) + b"\0" for each in fields)
    return len(payload).to_bytes(PREFIX_BYTES, "big") + payload


def split_fields(payload: bytes) -> list[str]:
    """The fields of one payload; a missing last NUL is forgiven, as the hello frame has none."""
    text = payload.decode("utf-8", errors="replace")
    return text.removesuffix("\0").split("\0")


def as_bursts(data: bytes) -> tuple[bytes, ...]:
    """`data` in writes of which none ends at a multiple of 4096 bytes; pause a moment between them."""
    if not data or len(data) % CHUNK_BYTES:
        return (data,) if data else ()
    return (data[:-1], data[-1:])


@dataclass
class FrameDecoder:
    """Cuts a byte stream, however it is chopped, into the payloads of its frames."""

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what the socket gave and return the payloads that are complete now.

        Raises:
            OversizedFrame: a frame is longer than MAX_FRAME_BYTES.
        """
        self._buffer += data
        return list(self._complete())

    def _complete(self) -> Iterator[bytes]:
        while len(self._buffer) >= PREFIX_BYTES:
            length = int.from_bytes(self._buffer[:PREFIX_BYTES], "big")
            if length > MAX_FRAME_BYTES:
                raise OversizedFrame(length)
            if len(self._buffer) < PREFIX_BYTES + length:
                return
            yield bytes(self._buffer[PREFIX_BYTES:PREFIX_BYTES + length])
            del self._buffer[:PREFIX_BYTES + length]


def _escaped(text: str) -> bytes:
    if text.isascii() and "\\" not in text:
        return text.replace("\0", " ").encode("ascii")
    return b"".join(_escaped_character(character) for character in text.replace("\0", " "))


def _escaped_character(character: str) -> bytes:
    if character.isascii() and character != "\\":
        return character.encode("ascii")
    units = character.encode("utf-16-be", errors="surrogatepass")
    pairs = (units[at:at + 2] for at in range(0, len(units), 2))
    return b"".join(b"\\u%04x" % int.from_bytes(pair, "big") for pair in pairs)
