"""Jobs for the measurements: they do next to nothing."""

from datetime import datetime
from pathlib import Path

from processes.job import JobContext


def nothing(_job: JobContext) -> None:
    """Be started, and end."""


def run(job: JobContext) -> None:
    """Write down how long after its slot the first line of the job ran, in milliseconds."""
    late_s = (job.clock.now() - datetime.fromisoformat(job.slot)).total_seconds()
    with Path(str(job.process.arguments["file"])).open("a") as file:
        file.write(f"{late_s * 1000:.2f}\n")
