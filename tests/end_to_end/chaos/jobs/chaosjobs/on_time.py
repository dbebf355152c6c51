"""End as near to a limit as can be: `seconds` after the run was claimed, give or take `spread_ms`.

`manner` says how a request to stop finds it: polite (it ends as asked), default (SIGTERM ends it anywhere), deaf.
"""

import signal
import time
from random import Random

from chaosjobs.effects import mark
from processes.job import JobContext


def run(job: JobContext) -> None:
    wanted = job.process.arguments
    if wanted["manner"] != "polite":
        signal.signal(signal.SIGTERM, {"default": signal.SIG_DFL, "deaf": signal.SIG_IGN}[wanted["manner"]])
    claimed = job.data.db_processes.run(job.run_id).created
    late_s = Random(job.run_id).uniform(*wanted["spread_ms"]) / 1000
    left_s = (claimed - job.clock.now()).total_seconds() + wanted["seconds"] + late_s
    mark(job, "start", left_s=left_s)
    ends_s = time.monotonic() + left_s
    while (left_s := ends_s - time.monotonic()) > 0:
        if wanted["manner"] == "polite":
            job.checkpoint()
        time.sleep(min(left_s, 0.002))
    mark(job, "end")
