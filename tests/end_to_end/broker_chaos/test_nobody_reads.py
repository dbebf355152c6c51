"""O58: whoever should read what the service says has stopped to, as a terminal after Ctrl-S or a disk that hangs."""

import os
from contextlib import suppress
from pathlib import Path

from trading_scene import TradingScene, playing


def test_o58_a_reader_that_has_stopped_keeps_no_order_and_no_end_waiting(tmp_path: Path) -> None:
    # given a service whose output goes into a pipe that is full, and that nobody reads
    output = tmp_path / "service.out"
    os.mkfifo(output)
    reader = os.open(output, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(output, os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")

    # when it plays a day and trades, then nothing waits, and it ends as it is asked to
    with playing(TradingScene(tmp_path)) as scene:
        traded = scene.trade(scene.an_instrument(), 1)
        assert (traded.executed, traded.filled) == (1, 1)
        assert scene.books() == scene.theirs()
    assert scene.process is not None
    assert scene.process.returncode == 0

    # and nothing of what it said was read
    assert set(os.read(reader, 1_000_000)) == set(b"x")
    os.close(reader)
    os.close(writer)
