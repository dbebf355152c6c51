"""Tell a watcher outside that all is well. When the pings stop it complains: nobody else notices a dead machine.

Only the active daemon pings, and only while it does its work, because "the scheduler is dead" and "nothing was due"
look the same from inside (scheduler.md 8).
"""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from daemon.alerts.channels import status_of
from daemon.alerts.own_thread import in_own_thread
from trading.alerts_config import DeadManConfig
from trading.log import get_log

log = get_log()

TIMEOUT_S: Final = 10.0


async def ping_forever(config: DeadManConfig, healthy: Callable[[], bool], *, timeout_s: float = TIMEOUT_S,
                       sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """GET the configured address every so often while `healthy`, until cancelled; nothing when none is configured."""
    if config.url is None:
        return
    watcher = urlsplit(config.url).hostname  # the rest of the address is as good as a password
    problem: str | None = None
    while True:
        if healthy():
            was, problem = problem, await ping(config.url, timeout_s)
            if problem is not None and was is None:
                log.warning("dead_man_ping_failed", watcher=watcher, reason=problem)
            elif problem is None and was is not None:
                log.info("dead_man_ping_works_again", watcher=watcher)
        await sleep(config.every)


async def ping(url: str, timeout_s: float) -> str | None:
    """GET `url` once; why it failed, or None when it was answered with 2xx."""
    answers: list[int] = []
    try:
        await in_own_thread(lambda: answers.append(status_of("GET", url, timeout_s)), timeout_s)
    except TimeoutError:
        return "no answer in time"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return None if 200 <= answers[0] < 300 else f"answered {answers[0]}"
