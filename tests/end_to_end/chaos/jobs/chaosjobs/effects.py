"""The effect log: what really happened, told by the jobs themselves. One line a mark, appended in one write."""

import json
import os

from processes.job import JobContext

EFFECTS_VARIABLE = "CHAOS_EFFECTS"


def mark(job: JobContext, phase: str, **more: object) -> None:
    """Append one line; `phase` is start, end, or whatever else a test asks for."""
    line = {"phase": phase, "run": job.run_id, "process": job.run_id.partition("@")[0], "slot": job.slot,
            "attempt": job.attempt, "fence": job.fence, "pid": os.getpid(), "wall": job.clock.now().isoformat(),
            "monotonic": job.clock.monotonic_s(), **more}
    file = os.open(os.environ[EFFECTS_VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)
