"""The first exchange on a connection: who speaks which versions (ib_wire.md 2.1). Pure."""

import re
from typing import Final

from trading.broker.simulated.settings import MIN_VERSION

MAGIC: Final = b"API\0"


def agreed_version(hello: bytes, max_version: int) -> int | None:
    """The highest version that both sides speak; None when there is none or the hello is garbage."""
    found = re.match(rb"v(\d{1,9})\.\.(\d{1,9})(?: |$)", hello)
    if found is None:
        return None
    version = min(int(found[2]), max_version)
    return version if version >= max(MIN_VERSION, int(found[1])) else None
