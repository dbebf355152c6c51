"""A control group for each run, where the system has delegated a cgroup v2 subtree to us (Delegate= of the unit).

A limit then counts everything that a job started, not only its first process, and one write ends all of it. Elsewhere
the groups are not `in_use`, every step does nothing, and the limits of zygote.py stand alone. Only files are written,
below a folder that the caller names.
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


def prepared(group: Path | None) -> "RunGroups":
    """The groups of runs below `group`, its own processes moved aside; not in use where that is not allowed."""
    for _ in range(0 if group is None else _TRIES):
        assert group is not None
        try:
            _move_aside(group)
            (group / "cgroup.subtree_control").write_text(_CONTROLLERS)
            return RunGroups(group)
        except OSError as error:
            if error.errno != errno.EBUSY:  # not delegated: read-only, another's, or without these controllers
                break
    return RunGroups(None)


def _move_aside(group: Path) -> None:
    (group / OURS).mkdir(exist_ok=True)
    for pid in _read(group / "cgroup.procs").split():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            (group / OURS / "cgroup.procs").write_text(pid)


class RunGroups:
    """One folder a run, from before its worker starts until after everything in it has ended."""

    def __init__(self, group: Path | None) -> None:
        self._group = group
        self._live: set[Path] = set()

    @property
    def in_use(self) -> bool:
        """Whether the limits given to `create` hold; otherwise somebody else must see to them."""
        return self._group is not None

    def create(self, run: str, memory_max_mb: int | None = None, pids_max: int = PIDS_MAX) -> None:
        """An empty group with the limits of `run`; leftovers of earlier runs are swept away."""
        if self._group is None:
            return
        self._sweep(self._group)
        group = _folder(self._group, run)
        self._live.add(group)
        group.mkdir(exist_ok=True)
        (group / "pids.max").write_text(str(pids_max))
        if memory_max_mb is not None:
            (group / "memory.max").write_text(str(memory_max_mb * _MEGABYTE))
            (group / "memory.oom.group").write_text("1")  # half a job is no use to anybody
            with suppress(OSError):  # a kernel without swap accounting has no such file
                (group / "memory.swap.max").write_text("0")

    def enter(self, run: str) -> None:
        """Put the calling process, and so all that it will start, into the group of `run`."""
        if self._group is not None:
            (_folder(self._group, run) / "cgroup.procs").write_text("0")

    def kill(self, run: str) -> None:
        """End everything in the group of `run`, wherever it hides; returns before it has ended."""
        if self._group is not None:
            _kill(_folder(self._group, run))

    def end(self, run: str) -> GroupUse:
        """After the worker of `run` has ended: what it took. Whatever is left of it is killed, its group removed."""
        if self._group is None:
            return GroupUse(peak_bytes=None, out_of_memory=False)
        group = _folder(self._group, run)
        _kill(group)
        peak = _read(group / "memory.peak")
        events = dict(line.split() for line in _read(group / "memory.events").splitlines())
        self._live.discard(group)
        _removed(group)  # while something in it still ends it stays, and a later `create` takes it away
        return GroupUse(peak_bytes=int(peak) if peak else None, out_of_memory=int(events.get("oom_kill", 0)) > 0)

    def _sweep(self, service: Path) -> None:
        for group in set(service.glob(f"{_RUN}*")) - self._live:
            if not _removed(group):
                _kill(group)


def _folder(service: Path, run: str) -> Path:
    return service / f"{_RUN}{hashlib.sha256(run.encode()).hexdigest()[:16]}"  # a run's id is no file name


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
