"""Lines are taken at once, whoever reads them."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from trading.line_queue import LineQueue, QueuedFile


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The end that is read, and the one that is written."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def read_until(end: int, last: bytes) -> list[bytes]:
    known = b""
    while not known.endswith(last):
        known += os.read(end, 65536)
    return known.splitlines()


def test_lines_arrive_in_their_order_and_whole(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = LineQueue().start()
    file = QueuedFile(lines, writer)
    sent = [f"line {number} \udcff é" for number in range(1000)]
    for line in sent:
        file.write(f"{line}\n")
        file.flush()
    found = read_until(reader, b"line 999 \\udcff \xc3\xa9\n")
    assert [line.decode() for line in found] == [line.replace("\udcff", "\\udcff") for line in sent]
    assert lines.flush(5)


def test_a_reader_that_has_stopped_holds_up_nobody_and_hears_later_how_much_he_missed(pipe: tuple[int, int]) -> None:
    # given a pipe that nobody reads, and room for ten lines beside it
    reader, writer = pipe
    lines = LineQueue(most=10).start()
    line = "x" * 65535 + "\n"

    # when more is written than both hold, then nobody waits for it
    for _ in range(20):
        lines.put(writer, line)
    assert not lines.flush(0)

    # and the reader is told what was left out
    found = read_until(reader, b"left out: nobody read them in time.\n")
    whole = [each for each in found if each == line.strip().encode()]
    left_out = int(found[-1].split()[0])
    assert len(whole) + left_out == 20
    assert left_out >= 8
    assert lines.flush(5)


def test_where_nobody_can_read_any_more_nothing_stops(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    lines = LineQueue().start()
    lines.put(writer, "lost\n")
    assert lines.flush(5)


def test_many_may_speak_at_once(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = LineQueue().start()
    speakers = [threading.Thread(target=lambda number=number: [lines.put(writer, f"{number} {turn}\n")
                                                               for turn in range(200)]) for number in range(5)]
    for each in speakers:
        each.start()
    for each in speakers:
        each.join()
    lines.put(writer, "end\n")
    found = [line.decode() for line in read_until(reader, b"end\n")]
    for number in range(5):
        mine = [line for line in found if line.startswith(f"{number} ")]
        assert mine == [f"{number} {turn}" for turn in range(200)]
