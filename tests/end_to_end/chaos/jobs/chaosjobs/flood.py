"""Print `megabytes`, then close the output and go on."""

import os

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    mark(job, "start")
    block = b"x" * 1023 + b"\n"
    for _ in range(job.process.arguments["megabytes"]):
        left = block * 1000
        while left:
            left = left[os.write(1, left):]
    os.close(1)
    os.close(2)
    mark(job, "end")
