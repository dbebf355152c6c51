"""Where the store and the gateway listen that the daemon runs itself, in a file: the watchdog asks the daemon nothing.

The file outlives a daemon that was killed; then nobody listens there, and whoever comes next writes it anew.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """None: it is not ours, and the configuration says where it is. The offset is that of a day which is played."""

    store_uri: str | None = None
    gateway: tuple[str, int] | None = None
    clock_offset_s: float = 0.0


def write_whereabouts(file: Path, whereabouts: Whereabouts) -> None:
    """Whole or not at all: somebody may be reading."""
    write_json(file, asdict(whereabouts))


def read_whereabouts(file: Path) -> Whereabouts:
    """What was written last; nothing is known when nobody wrote, or not that."""
    try:
        values = json.loads(file.read_text())
        gateway = values["gateway"]
        return Whereabouts(store_uri=values["store_uri"], clock_offset_s=float(values["clock_offset_s"]),
                           gateway=None if gateway is None else (str(gateway[0]), int(gateway[1])))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return Whereabouts()


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """`values` under the name `file`, whole or not at all."""
    newer = file.with_name(f"{file.name}.{os.getpid()}")
    newer.write_text(json.dumps(values))
    newer.replace(file)
