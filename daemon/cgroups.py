"""A control group for each run, where the system has delegated a cgroup v2 subtree to us (Delegate= of the unit).

A limit then counts everything that a job started, not only its first process, and one write ends all of it. Elsewhere
`prepared` returns None and the limits of daemon/zygote.py stand alone. Only files are written, below a folder that the
caller names.
"""

import errno
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNT: Final = Path("/sys/fs/cgroup")
MEMBERSHIP: Final = Path("/proc/self/cgroup")
OURS: Final = "daemon"  # for the daemon and its helpers: a group that gives out limits may have no processes itself
_RUN: Final = "run-"
_CONTROLLERS: Final = "+memory +pids"
_MEGABYTE: Final = 1_000_000
_TRIES: Final = 5  # a process that was started while the others were moved keeps the group busy
PIDS_MAX: Final = 512


@dataclass(frozen=True, kw_only=True)
class GroupUse:
    """What a run took, and whether the kernel had to end something of it for want of memory."""

    peak_bytes: int | None
    out_of_memory: bool


def own_group(membership: str, mount: Path = MOUNT) -> Path | None:
    """The folder of the service's group, from the text of /proc/self/cgroup; None without cgroup v2 or at its root."""
    unified = next((line[3:] for line in membership.splitlines() if line.startswith("0::")), "/")
    group = mount / unified.strip("/")
    if group.name == OURS:
        group = group.parent
    return None if group == mount or not (group / "cgroup.controllers").is_file() else group


def prepared(group: Path | None) -> "RunGroups | None":
    """The groups of runs below `group`, its own processes moved aside; None where that is not allowed."""
    if group is None:
        return None
    for _ in range(_TRIES):
        try:
            _move_aside(group)
            (group / "cgroup.subtree_control").write_text(_CONTROLLERS)
            return RunGroups(group)
        except OSError as error:
            if error.errno != errno.EBUSY:  # not delegated: read-only, another's, or without these controllers
                return None
    return None


def _move_aside(group: Path) -> None:
    (group / OURS).mkdir(exist_ok=True)
    for pid in _read(group / "cgroup.procs").split():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            (group / OURS / "cgroup.procs").write_text(pid)


class RunGroups:
    """One folder a run, from before its worker starts until after everything in it has ended."""

    def __init__(self, group: Path) -> None:
        self._group = group
        self._live: set[Path] = set()

    def create(self, run: str, memory_max_mb: int | None = None, pids_max: int = PIDS_MAX) -> Path:
        """An empty group with the limits of `run`; leftovers of earlier runs are swept away."""
        self._sweep()
        group = self._of(run)
        self._live.add(group)
        group.mkdir(exist_ok=True)
        (group / "pids.max").write_text(str(pids_max))
        if memory_max_mb is not None:
            (group / "memory.max").write_text(str(memory_max_mb * _MEGABYTE))
            (group / "memory.oom.group").write_text("1")  # half a job is no use to anybody
            with suppress(OSError):  # a kernel without swap accounting has no such file
                (group / "memory.swap.max").write_text("0")
        return group

    def enter(self, run: str) -> None:
        """Put the calling process, and so all that it will start, into the group of `run`."""
        (self._of(run) / "cgroup.procs").write_text("0")

    def kill(self, run: str) -> None:
        """End everything in the group of `run`, wherever it hides; returns before it has ended."""
        _kill(self._of(run))

    def use(self, run: str) -> GroupUse:
        """What `run` took; ask before `remove`."""
        group = self._of(run)
        peak = _read(group / "memory.peak")
        events = dict(line.split() for line in _read(group / "memory.events").splitlines())
        return GroupUse(peak_bytes=int(peak) if peak else None, out_of_memory=int(events.get("oom_kill", 0)) > 0)

    def remove(self, run: str) -> bool:
        """Whether the group is gone; while something in it still ends it stays, and a later `create` takes it away."""
        group = self._of(run)
        self._live.discard(group)
        return _removed(group)

    def _sweep(self) -> None:
        for group in set(self._group.glob(f"{_RUN}*")) - self._live:
            if not _removed(group):
                _kill(group)

    def _of(self, run: str) -> Path:
        return self._group / f"{_RUN}{hashlib.sha256(run.encode()).hexdigest()[:16]}"  # a run's id is no file name


def _kill(group: Path) -> None:
    with suppress(OSError):  # before Linux 5.14 there is no such file; kill_marked() of process_tree.py does it then
        (group / "cgroup.kill").write_text("1")


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _read(path: Path) -> str:
    """Empty when the kernel does not offer the file, or the group is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""
