"""Starting the zygote. Standard library only: it is started before the daemon imports what it needs itself, so that
both get ready at the same time."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

_ONE_THREAD: Final = {  # so that nothing has threads when the zygote forks
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "ARROW_IO_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


@dataclass(frozen=True)
class ZygoteProcess:
    """A zygote that was started, and our end of the socket on which it is spoken to."""

    process: "subprocess.Popen[bytes]"
    connection: socket.socket

    def end(self) -> None:
        """Kill it, and with it every worker; ending twice is harmless."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.connection.close()


def start_zygote() -> ZygoteProcess:
    """Start one; it says when it is ready, and what is wrong with it where the daemon does.

    Raises:
        OSError: the machine has no room for it.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    words = [sys.executable, "-m", "daemon.children.zygote", str(theirs.fileno()), str(os.getpid())]
    try:
        with theirs:
            process = subprocess.Popen(words, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=sys.stderr,
                                       start_new_session=True, env=os.environ | _ONE_THREAD)
    except OSError:
        ours.close()
        raise
    return ZygoteProcess(process, ours)
