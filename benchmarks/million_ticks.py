"""Does the runner's memory stay flat over a million slots? Played in the world of the unit tests, in a process apart.

Twenty processes are due every second; every thirteenth slot runs, the others are left out with a tick, since a run
takes twelve seconds. The store is the one in memory, made to forget what has ended, so that it does not grow itself:
what is measured is what the runner, its ledger and its timers keep. BENCH_TICKS bounds it.
"""

import gc
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.process_use import resident_mb

ROOT = Path(__file__).resolve().parents[1]
TICKS = int(os.environ.get("BENCH_TICKS", "1000000"))
PROCESSES, KEPT = 20, 200


def measure() -> dict[str, float]:
    """Memory after a tenth of the ticks and after all of them, and ticks a second."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.million_ticks"], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def play(ticks: int) -> dict[str, float]:
    """The same in this process."""
    import structlog

    sys.path.insert(0, str(ROOT / "tests" / "unit"))
    from runner_world import World

    from benchmarks.forgetful_store import ForgetfulProcesses
    from trading.process_config import ProcessConfig

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    world = World({f"p{number:02d}": ProcessConfig(every=1, timeout=100, grace=5) for number in range(PROCESSES)})
    store = world.processes = ForgetfulProcesses(keep=KEPT)
    world.start_daemon()
    found: dict[str, float] = {}
    started_s = time.perf_counter()
    for name, until in (("tenth", ticks // 10), ("all", ticks)):
        while store.decided < until:
            world.advance(10)
            world.workers = [each for each in world.workers if each.alive]
            del world.bodies[:-KEPT]
        gc.collect()
        found |= {f"{name}_mb": resident_mb(os.getpid()), f"{name}_objects": float(len(gc.get_objects()))}
    took_s = time.perf_counter() - started_s
    assert world.problems == [], world.problems
    world.close()
    return found | {"grown_mb": found["all_mb"] - found["tenth_mb"], "ticks": float(store.decided),
                    "grown_objects": found["all_objects"] - found["tenth_objects"],
                    "ticks_per_s": store.decided / took_s, "runs": float(store.begun)}


if __name__ == "__main__":
    print(json.dumps(play(TICKS)))
