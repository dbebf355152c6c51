"""One contender for the lease, as a process: told by a line to begin a round, it says what came of it.

Each round is a new daemon's life as far as leading goes: a new nonce, an attempt of a second, an answer.
"""

import asyncio
import sys
from pathlib import Path

from daemon.leadership import Leadership, LeaseTimes, TokenMemory
from daemon.store.async_store import AsyncStore
from trading.clock import SystemClock
from trading.data.mongo.connection import connect
from trading.log import configure_log


async def rounds(uri: str, database: str, state: Path) -> None:
    """Until the input ends."""
    store = connect(uri, database, 5.0)
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "begin":
        leadership = Leadership(AsyncStore(store, threads=1), SystemClock(), TokenMemory(state),
                                LeaseTimes(ttl_s=30, renew_s=10))
        try:
            await asyncio.wait_for(leadership.acquire(), 1.0)
            print(f"leads {leadership.token}", flush=True)
        except TimeoutError:
            print("stands by", flush=True)
        if (await loop.run_in_executor(None, sys.stdin.readline)).strip() != "end":
            return
        if leadership.is_leader:
            await leadership.release()
        print("ended", flush=True)


if __name__ == "__main__":
    configure_log("WARNING")
    asyncio.run(rounds(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
