"""Take `megabytes` of memory, all of it touched."""

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    mark(job, "start")
    eaten = [bytearray(b"x" * 1_000_000) for _ in range(job.process.arguments["megabytes"])]
    mark(job, f"ate {len(eaten)} MB")
    mark(job, "end")
