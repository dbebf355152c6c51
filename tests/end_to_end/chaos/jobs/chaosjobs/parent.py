"""Have children that outlive their parent if they can: one deaf to SIGTERM, one in a session of its own."""

import subprocess
import sys

from chaosjobs.effects import mark
from processes.job import JobContext

_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"


def run(job: JobContext) -> None:
    children = [subprocess.Popen([sys.executable, "-c", _DEAF], start_new_session=apart) for apart in (False, True)]
    mark(job, "start", children=[child.pid for child in children])
    job.wait(job.process.arguments.get("seconds", 0))
    mark(job, "end")
