"""Python sleeps until a moment of the monotonic clock, which libfaketime takes for one of the other clock and refuses.

The threads of the store's client died of it and were started again, all the time; a slow machine did nothing else.
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
