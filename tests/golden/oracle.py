"""Where the independent numbers are: beside the checkout, or where the environment's ORACLE and DATA say.

A test of the numbers is parametrised by the files that are found, so that other directories of the same layout (other
instruments, panels, windows) are checked by the same code: make golden ORACLE=DIR DATA=DIR.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
ORACLE = Path(os.environ.get("ORACLE") or SHARED / "oracle")
DATA = Path(os.environ.get("DATA") or SHARED / "data")
PEER, QUANT = ORACLE / "pysystemtrade", ORACLE / "quant"

needs_numbers = [pytest.mark.shared,
                 pytest.mark.skipif(not ORACLE.is_dir(), reason="the reference numbers are not beside this checkout")]


def found(folder: Path, pattern: str) -> list[Any]:
    """A parameter for each file of `folder` that fits `pattern`, named as the file is without its endings."""
    return [pytest.param(file, id=f"{folder.name}/{file.name.partition('.')[0]}")
            for file in sorted(folder.glob(pattern))]


def found_in(file: Path, *keys: str) -> list[Any]:
    """A parameter for each entry of the list or table that stands under `keys` in a JSON file, if there is one."""
    if not file.is_file():
        return []
    value = json.loads(file.read_text())
    for key in keys:
        value = value[key]
    entries = enumerate(value) if isinstance(value, list) else value.items()
    return [pytest.param(entry, id=f"{file.stem}/{'/'.join((*keys, str(name)))}") for name, entry in entries]
