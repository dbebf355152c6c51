"""Frames and fields: whatever is encoded comes back, however the stream is chopped."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.broker.simulated.handshake import agreed_version
from trading.broker.simulated.wire import FrameDecoder, OversizedFrame, as_bursts, encode, split_fields

PLAIN = st.text(st.characters(codec="ascii", exclude_characters="\0\\"))
MESSAGES = st.lists(st.lists(PLAIN, min_size=1, max_size=6).filter(lambda fields: fields != [""]), max_size=6)


@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 200), max_size=8))
def test_messages_survive_any_chopping_of_the_stream(messages: list[list[str]], cuts: list[int]) -> None:
    stream = b"".join(encode(fields) for fields in messages)
    decoder, edges = FrameDecoder(), sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})

    chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
    decoded = [split_fields(payload) for chunk in chunks for payload in decoder.feed(chunk)]

    assert decoded == messages


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_reaches_the_official_client_through_its_unicode_escapes(text: str) -> None:
    payload = encode([text])[4:-1]
    assert payload.isascii()
    units = payload.decode("ascii").encode().decode("unicode-escape")
    assert units.encode("utf-16", "surrogatepass").decode("utf-16") == text


def test_a_frame_beyond_sixteen_mebibytes_is_refused() -> None:
    with pytest.raises(OversizedFrame, match="allowed: 16777215"):
        FrameDecoder().feed(b"\x01\x00\x00\x00")


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 8192])
def test_no_burst_ends_at_a_multiple_of_4096_bytes(size: int) -> None:
    parts = as_bursts(b"x" * size)
    assert b"".join(parts) == b"x" * size
    assert all(len(part) % 4096 for part in parts)


@pytest.mark.parametrize(("hello", "version"), [
    (b"v157..178", 178), (b"v157..176", 176), (b"v100..226 +PACEAPI", 178), (b"v100..157", 157),
    (b"v100..156", None), (b"v179..200", None), (b"GET / HTTP/1.1", None), (b"v..", None), (b"", None)])
def test_the_highest_common_version_is_agreed_or_none(hello: bytes, version: int | None) -> None:
    assert agreed_version(hello, 178) == version
