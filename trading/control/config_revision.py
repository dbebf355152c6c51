"""One accepted configuration: every text that was ever in use, who brought it, when and why. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """How a configuration came to be used."""

    START = "start"  # the files differed when the service started
    FILE = "file"  # somebody saved a file
    CLI = "cli"
    API = "api"
    ROLLBACK = "rollback"


@dataclass(frozen=True, kw_only=True)
class ConfigRevision:
    """Generation `generation`; `files` holds each file that the folder had, by name."""

    generation: int
    sha256: str
    files: Mapping[str, str]
    author: str
    reason: str
    source: Source
    at: datetime
    parent: int | None
    changes: tuple[str, ...] = ()


def fingerprint(files: Mapping[str, str]) -> str:
    """The digest of names and texts; it does not depend on their order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode("utf-8", "surrogateescape")):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
