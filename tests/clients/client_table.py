"""Whose clients are tried, with which driver, and what they agree on (ib_wire.md 1.1)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DRIVERS: Final = Path(__file__).parent / "drivers"
ONLY_OFFICIAL: Final = ("c16_a_line_too_many", "c18_bad_end", "c18_duplicate_id")  # the libraries forbid it themselves


@dataclass(frozen=True, kw_only=True)
class ForeignClient:
    """One client against one gateway."""

    name: str
    venv: str
    version: int
    library: str = ""  # empty: Interactive Brokers' own client
    gateway_flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def python(self) -> Path:
        return ROOT / ".venv-clients" / self.venv / "bin" / "python"

    @property
    def driver(self) -> Path:
        return DRIVERS / ("ib_sync_driver.py" if self.library else "ibapi_driver.py")

    def takes(self, case: str) -> bool:
        return not (self.library and case in ONLY_OFFICIAL)


AT_200: Final = (ForeignClient(name="ibapi-10.51-at-200", venv="ibapi-latest", version=200,
                               gateway_flags=("--max-version", "200")),)
CLIENTS: Final = (
    ForeignClient(name="ib_async", venv="ib_async", version=178, library="ib_async"),
    ForeignClient(name="ib_insync", venv="ib_insync", version=176, library="ib_insync"),
    ForeignClient(name="ibapi-9.81", venv="ibapi-9.81", version=157),
    ForeignClient(name="ibapi-10.50", venv="ibapi-stable", version=178),
    ForeignClient(name="ibapi-10.51", venv="ibapi-latest", version=178),
    *AT_200,
)
OFFICIAL: Final = tuple(client for client in CLIENTS if not client.library)
KNOW_SCHEDULES: Final = tuple(client for client in CLIENTS if client.version > 157)
