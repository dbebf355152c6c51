"""Jobs for the measurements: they do next to nothing."""

import time
from datetime import datetime
from pathlib import Path

from processes.job import JobContext


def nothing(_job: JobContext) -> None:
    """Be started, and end."""


def run(job: JobContext) -> None:
    """Write down how long after its slot the first line of the job ran, in milliseconds."""
    late_s = time.time() - datetime.fromisoformat(job.slot).timestamp()
    with Path(str(job.process.arguments["file"])).open("a") as file:
        file.write(f"{late_s * 1000:.2f}\n")
