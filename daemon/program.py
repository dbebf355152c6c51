"""Which program runs: a digest of its own files, code and tables, so that another one is noticed by whatever name."""

import hashlib
from pathlib import Path
from typing import Final

_ROOMS: Final = ("daemon", "processes", "trading")


def program_digest(folder: Path | None = None) -> str:
    """The digest of names and contents of all files in the rooms of `folder`, by default this program's own."""
    root = folder or Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(path for room in _ROOMS for path in (root / room).rglob("*") if _counts(path)):
        for part in (path.relative_to(root).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
