"""Who a process is beyond its pid: boot id and start time, so that a reused pid is never mistaken for a worker."""

import os
from pathlib import Path

from trading.control.process_run import WorkerIdentity


def identity_of(pid: int) -> WorkerIdentity | None:
    """The identity of the process `pid`, or None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    after_name = text[text.rindex(")") + 2:].split()  # the name may hold blanks and parentheses
    if after_name[0] == "Z":
        return None  # dead, only not yet collected
    return WorkerIdentity(boot_id=boot_id(), pid=pid, start_ticks=int(after_name[19]))


def my_identity() -> WorkerIdentity:
    """The identity of this process."""
    me = identity_of(os.getpid())
    assert me is not None
    return me


def boot_id() -> str:
    """Changes with every boot of the machine, and differs in every container: a pid means something only within it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def is_alive(worker: WorkerIdentity) -> bool:
    """Whether exactly this process still runs."""
    return identity_of(worker.pid) == worker
