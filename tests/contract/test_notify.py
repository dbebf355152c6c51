"""What the service manager gets to hear: one datagram a message, at a path or at an abstract name, and never a wait."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.watching import systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_messages_that_belong_together_come_in_one_datagram(manager: socket.socket, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    systemd.notify("RELOADING=1", "MONOTONIC_USEC=5")
    assert manager.recv(4096) == b"RELOADING=1\nMONOTONIC_USEC=5"


def test_a_sentence_cannot_pretend_to_be_another_message(manager: socket.socket, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    systemd.notify("STATUS=held: a\nSTOPPING=1")
    assert manager.recv(4096) == b"STATUS=held: a STOPPING=1"


def test_a_name_without_a_file_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0tradingd-{os.getpid()}")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@tradingd-{os.getpid()}")
        systemd.notify("READY=1")
        assert listening.recv(4096) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nobody/listens/here"])
def test_without_a_manager_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify("READY=1")


def test_a_manager_that_does_not_read_keeps_nobody_waiting_for_long(manager: socket.socket, tmp_path: Path) -> None:
    program = "from daemon.watching import systemd\nfor _ in range(20): systemd.notify('WATCHDOG=1')"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20,
                   env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")})


@pytest.mark.parametrize(("microseconds", "pid", "period_s"), [
    (None, None, None), ("30000000", None, 15.0), ("30000000", "mine", 15.0), ("30000000", "1", None)])
def test_a_sign_of_life_is_due_at_half_of_the_time_if_it_is_ours_to_give(
        microseconds: str | None, pid: str | None, period_s: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value.replace("mine", str(os.getpid())))
    assert systemd.watchdog_period_s() == period_s
