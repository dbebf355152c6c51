"""K62: hours of work leave nothing behind: no descriptor, no thread, no memory, no zombie.

SOAK_SECONDS says how long (default ten minutes; a night: 86400).
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from checker import violations
from rig import Rig, StoreServer, children_of, job, memory_mb, until

NewRig = Callable[..., Rig]
pytestmark = pytest.mark.soak
WARM_UP_S = 60.0  # pools fill, modules are imported
LOOK_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a process holds at one moment."""

    descriptors: int
    threads: int
    memory_mb: float

    @classmethod
    def at(cls, pid: int) -> "Look":
        folder = Path(f"/proc/{pid}")
        return cls(descriptors=len(list((folder / "fd").iterdir())), memory_mb=memory_mb(pid),
                   threads=len(list((folder / "task").iterdir())))


def zombies_of(parent: int) -> list[int]:
    return [pid for pid, _ in children_of(parent) if _state(pid) == "Z"]


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat[stat.rindex(")") + 2]


def test_k62_hours_of_work_leave_nothing_behind(server: StoreServer, new_rig: NewRig,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    # given a daemon with much to do, that people look at, and whose files are saved now and then
    lasts_s = float(os.environ.get("SOAK_SECONDS", "600"))
    processes = {f"busy{number}": job(every=f"PT{2 + number % 5}S", arguments={"fail": number % 3}, max_attempts=2,
                                      retry_delay="PT1S") for number in range(12)}
    rig = new_rig(server, processes)
    daemon = rig.daemon().start()
    zygote = daemon.zygote()
    time.sleep(WARM_UP_S)

    # when it has worked for long
    looks: dict[int, list[Look]] = {daemon.pid: [], zygote: []}
    lingering: list[int] = []
    ends_s = time.monotonic() + lasts_s
    while time.monotonic() < ends_s:
        time.sleep(LOOK_EVERY_S)
        for pid, taken in looks.items():
            taken.append(Look.at(pid))
        lingering += [pid for pid in zombies_of(daemon.pid) + zombies_of(zygote) if _stays(pid)]
        daemon.ask("GET", "/status")
        rig.write_processes(processes | {"asked": job(timeout=f"PT{100 + len(lingering) + len(looks[zygote])}S")})

    # then neither it nor the mother of its workers holds more than before
    for name, pid in (("daemon", daemon.pid), ("zygote", zygote)):
        third = len(looks[pid]) // 3
        early, late = looks[pid][:third], looks[pid][-third:]
        with capsys.disabled():
            print(f"\n{name}: {_median(early)} -> {_median(late)}")
        assert _median(late).descriptors <= _median(early).descriptors + 2
        assert _median(late).threads <= _median(early).threads + 1
        assert _median(late).memory_mb <= _median(early).memory_mb * 1.03 + 1
    assert lingering == []
    until(lambda: daemon.phase() == "running", 10, "it answers")
    assert daemon.stop() == 0
    assert violations(rig.evidence()) == []


def _stays(pid: int) -> bool:
    """A dead child is collected at once, not within the blink of a look."""
    time.sleep(1.0)
    return _state(pid) == "Z"


def _median(looks: list[Look]) -> Look:
    return Look(descriptors=int(statistics.median(look.descriptors for look in looks)),
                threads=int(statistics.median(look.threads for look in looks)),
                memory_mb=statistics.median(look.memory_mb for look in looks))
