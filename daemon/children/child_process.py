"""A long-lived child of the daemon: started, watched, restarted when it dies, stopped politely or killed."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daemon.children.die_with_parent import dying_with_us
from trading.errors import TradingError
from trading.log import get_log

log = get_log()


class ChildFailed(TradingError):
    """A child did not come up; the message ends with the last words of its log."""


@dataclass(kw_only=True)
class ChildProcess:
    """One child. `ready` is awaited after each start and raises when the child does not come up."""

    name: str
    command: Callable[[], Sequence[str]]
    log_file: Path
    ready: Callable[[], Awaitable[None]]
    environment: dict[str, str] = field(default_factory=dict)
    grace_s: float = 10.0
    _process: asyncio.subprocess.Process | None = None
    _watcher: asyncio.Task[None] | None = None
    restarts: int = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the child and wait until it is ready."""
        await self._spawn()
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.name}")

    def kill(self) -> None:
        """SIGKILL; it is started again."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """SIGTERM, wait, SIGKILL."""
        if self._watcher is not None:
            self._watcher.cancel()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(self.grace_s):
                await process.wait()
        except TimeoutError:
            log.warning("child_killed", child=self.name, after_s=self.grace_s)
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *dying_with_us(self.command()), stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=os.environ | self.environment, start_new_session=True)
        try:
            await self._until_ready(self._process)
        except BaseException:
            if self._process.returncode is None:
                self._process.kill()
            raise

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        ready, died = asyncio.ensure_future(self.ready()), asyncio.ensure_future(process.wait())
        await asyncio.wait({ready, died}, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if not ready.done():
            ready.cancel()
            raise ChildFailed(f"The {self.name} ended with code {process.returncode} instead of starting. "
                              f"Its last words: {self._last_words()} (whole log: {self.log_file})")
        ready.result()

    async def _watch(self) -> None:
        """Restart the child for ever, with a growing pause while it keeps failing."""
        pause_s = 0.2
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.warning("child_died", child=self.name, code=code, restart_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 30.0)
            self.restarts += 1
            try:
                await self._spawn()
                pause_s = 0.2
            except (TradingError, OSError) as error:
                log.error("child_not_restarted", child=self.name, reason=str(error))

    def _last_words(self) -> str:
        lines = self.log_file.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "none"
