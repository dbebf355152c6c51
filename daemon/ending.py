"""The end of a task that runs beside the service."""

import asyncio
from contextlib import suppress
from typing import Any, Final

_PATIENCE_S: Final = 1.0


async def ended(task: "asyncio.Task[Any]") -> None:
    """Return when `task` has ended, which is asked to; again while it does not: a library that it waits for may have
    swallowed the cancellation (asyncio.wait_for does, when the answer comes at the same moment).

    Raises:
        Exception: what the task ended with, unless it was the cancellation.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE_S)
    with suppress(asyncio.CancelledError):
        task.result()
