"""Asked to stop, end well: exit code 0 (with `code`: that one)."""

import sys
import time

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    mark(job, "start")
    while not job.stop_requested():
        time.sleep(0.02)
    mark(job, "end")
    sys.exit(job.process.arguments.get("code", 0))
