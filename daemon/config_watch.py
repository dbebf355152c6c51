"""Live configuration: when a file in the folder changes, reload; a wrong edit changes nothing and says why."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from trading.config import FILES

_LOOK_EVERY_S = 1.0


class ConfigWatch:
    """Looks at the contents, so every editor's way of saving is seen, and a touched file is not a change."""

    def __init__(self, folder: Path, reload: Callable[[], list[str]]) -> None:
        self._folder, self._reload = folder, reload

    async def run(self) -> None:
        """Until cancelled."""
        from daemon.supervisor import report_reload

        applied = self._fingerprint()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            seen = self._fingerprint()
            if seen == applied:
                continue
            await asyncio.sleep(0.2)  # an editor may still be writing
            if self._fingerprint() == seen:
                report_reload(self._reload)
                applied = seen

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name in FILES:
            path = self._folder / name
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()
