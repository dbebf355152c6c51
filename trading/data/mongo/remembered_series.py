"""Stored series that are read again only where they changed: for a reader that looks, computes, and looks again.

It keeps what it read, so it is for as long as one computation is of use; it never writes.
"""

import pandas as pd
import pyarrow as pa

from trading.data.mongo.series import MongoSeries, empty_frame, frame_of


class RememberedSeries:
    """The frames of `series`; one that did not change is the same object as before."""

    def __init__(self, series: MongoSeries) -> None:
        self._series = series
        self._frames: dict[str, pd.DataFrame] = {}
        self._chunks: dict[str, dict[int, tuple[int, pa.Table]]] = {}  # by key and year: version, rows

    def load(self, key: str) -> pd.DataFrame:
        """The whole series of `key`, as it was when it was last looked at."""
        if key not in self._frames:
            self._read(key, self._series.versions([key]).get(key, {}))
        return self._frames[key]

    def look_again(self) -> None:
        """Read what changed since; one question for the versions, one for each series that changed."""
        versions = self._series.versions(list(self._frames))
        for key, chunks in self._chunks.items():
            now = versions.get(key, {})
            if now != {year: version for year, (version, _) in chunks.items()}:
                self._read(key, now)

    def _read(self, key: str, versions: dict[int, int]) -> None:
        known = {year: chunk for year, chunk in self._chunks.get(key, {}).items() if versions.get(year) == chunk[0]}
        found = known | self._series.chunks(key, [year for year in versions if year not in known])
        self._chunks[key] = dict(sorted(found.items()))
        tables = [table for _, table in self._chunks[key].values()]
        self._frames[key] = frame_of(tables) if tables else empty_frame(self._series.columns)
