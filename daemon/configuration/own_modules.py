"""Whether a module of somebody's own can be found. It is not imported: only a worker runs code of somebody else."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec


def module_is_there(name: str) -> bool:
    """Whether `name` could be imported here, as far as that can be said without importing the packages around it."""
    where: Sequence[str] | None = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        try:
            spec = _spec(".".join(parts[:count]), where)
            where = None if spec is None or spec.submodule_search_locations is None else [
                *spec.submodule_search_locations]
        except KeyError:
            return True  # a package without __init__.py inside of another: only an import can tell
        if spec is None or (where is None and count < len(parts)):
            return False
    return True


def _spec(name: str, where: Sequence[str] | None) -> ModuleSpec | None:
    """importlib.util.find_spec would import the packages around `name`."""
    found = (finder.find_spec(name, where, None) for finder in sys.meta_path)
    return next((spec for spec in found if spec is not None), None)
