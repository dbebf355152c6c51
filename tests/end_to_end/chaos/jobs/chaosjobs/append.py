"""Mark the start, work for `seconds`, mark the end. Fails the first `fail` attempts with `code`."""

import sys

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    wanted = job.process.arguments
    mark(job, "start")
    job.wait(wanted.get("seconds", 0))
    if job.attempt <= wanted.get("fail", 0):
        mark(job, "failed")
        sys.exit(wanted.get("code", 1))
    mark(job, "end")
