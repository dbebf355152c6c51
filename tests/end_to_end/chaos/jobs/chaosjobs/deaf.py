"""Ignore SIGTERM and every request to stop, for a minute."""

import signal
import time

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mark(job, "start")
    time.sleep(60)
    mark(job, "end")
