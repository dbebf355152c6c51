"""The halt that works without a store: a file in the state directory, and who laid it there, why."""

import json
import os
from pathlib import Path


def lay_halt_flag(flag: Path, who: str, reason: str) -> dict[str, str]:
    """Write the file, to the disk; what it says. While it is there nothing is sent to the broker."""
    said = {"level": "K3_HALT", "who": who, "reason": reason}
    flag.parent.mkdir(parents=True, exist_ok=True)
    with flag.open("w") as file:
        file.write(json.dumps(said) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return said
