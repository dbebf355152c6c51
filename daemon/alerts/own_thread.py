"""Call something slow in a thread of its own, for a limited time.

Not on the store's threads, which a hanging mail server would use up; and in a daemon thread, so that a call that
never returns does not keep the service from stopping.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future


async def in_own_thread(call: Callable[[], None], limit_s: float) -> None:
    """Wait for `call`; its errors are raised here.

    Raises:
        TimeoutError: it was not done in time; what became of it is unknown.
    """
    done: Future[None] = Future()

    def body() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            call()
        except BaseException as error:  # noqa: BLE001 (handed to whoever waits, not swallowed)
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=body, name="outward-call", daemon=True).start()
    async with asyncio.timeout(limit_s):
        await asyncio.wrap_future(done)
