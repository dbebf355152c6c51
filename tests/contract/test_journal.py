"""The native journal protocol over a real socket that plays the journal."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trading.journal import Journal, connected_to_journal

EVENT = {"event": "run_lost", "level": "error", "process": "run_systems"}


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    """A journal that keeps what it gets."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "journal"))
        server.settimeout(5)
        yield server


def test_an_event_is_one_datagram(listening: socket.socket) -> None:
    Journal(Path(listening.getsockname())).write(EVENT)

    received = listening.recv(65536)
    assert b"\nTRADINGD_PROCESS=run_systems\n" in received
    assert received.startswith(b"MESSAGE=run_lost process=run_systems\nPRIORITY=3\n")


def test_an_entry_that_no_datagram_can_hold_comes_as_a_sealed_file(listening: socket.socket) -> None:
    Journal(Path(listening.getsockname())).write(EVENT | {"reason": "x" * 3_000_000})

    data, handles, _, _ = socket.recv_fds(listening, 10, 1)
    with os.fdopen(handles[0], "rb") as file:
        file.seek(0)
        assert len(file.read()) > 3_000_000
        with pytest.raises(PermissionError):
            os.write(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDWR), b"y")
    assert data == b""


def test_without_a_journal_the_line_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(tmp_path / "nobody").write(EVENT)
    assert capsys.readouterr().err.startswith("<3>run_lost process=run_systems")


def test_a_stream_is_recognised_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert connected_to_journal(f"{found.st_dev}:{found.st_ino}", stream.fileno())
        assert not connected_to_journal(f"{found.st_dev}:{found.st_ino + 1}", stream.fileno())


def logged(listening: socket.socket, folder: Path, inode_off: int) -> str:
    """What a program writes to standard error when systemd has named that file, or one `inode_off` beside it."""
    program = ("import sys; from pathlib import Path; from trading.log import configure_log, get_log\n"
               "configure_log(journal=Path(sys.argv[1])); get_log().warning('hello', run='r')")
    with (folder / "stderr").open("w+") as stream:
        found = os.fstat(stream.fileno())
        subprocess.run([sys.executable, "-c", program, listening.getsockname()], stderr=stream, check=True,
                       env=os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + inode_off}"})
        stream.seek(0)
        return stream.read()


def test_a_program_whose_standard_error_is_the_journal_writes_entries(listening: socket.socket, tmp_path: Path) -> None:
    assert logged(listening, tmp_path, inode_off=0) == ""
    assert b"\nTRADINGD_RUN=r\n" in listening.recv(65536)


def test_a_program_whose_standard_error_was_redirected_writes_lines(listening: socket.socket, tmp_path: Path) -> None:
    assert "hello run=r" in logged(listening, tmp_path, inode_off=1)
