"""Kill the daemon from within the body: the run has been taken, and nobody will see its end. Only while armed.

Armed by a file; so the next attempt lives. The worker's parent is the zygote, whose parent is the daemon. With
`children`, a program in a session of its own is started first.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from chaosjobs.effects import EFFECTS_VARIABLE, mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True).pid
                for _ in range(job.process.arguments.get("children", 0))]
    mark(job, "start", children=children)
    armed = Path(os.environ[EFFECTS_VARIABLE]).with_name("armed")
    if armed.exists() and armed.read_text() == job.run_id.partition("@")[0]:
        armed.unlink()
        os.kill(parent_of(os.getppid()), signal.SIGKILL)
        job.wait(10)
    mark(job, "end")


def parent_of(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text[text.rindex(")") + 2:].split()[1])
