"""Whether the systems of the strategies make sense: each setting, checked without the libraries that compute with it.

A rule of somebody's own is not imported here: it could do anything to the service. That its module can be found is
checked; its settings are when a worker uses it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from trading.config import Reading
from trading.config_mistakes import reason
from trading.systems.rules.registry import RULES
from trading.systems.system_config import SystemConfig
from trading.yaml_document import KeyPath


def check_systems(reading: Reading, is_there: Callable[[str], bool]) -> None:
    """Complain about each mistake; `is_there` says whether a module could be imported."""
    for file, settings in reading.systems().items():
        for path, what in (*_mistakes(settings), *_lost_modules(settings, is_there)):
            reading.complain(file, ("system", *path), f"{what}.")


def _mistakes(settings: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    try:
        SystemConfig.model_validate(settings)
    except ValidationError as error:
        for mistake in error.errors():
            path = tuple(str(part) for part in mistake["loc"] if part != "[key]")  # a key of the wrong type
            yield path, reason(mistake, path or ("system",), SystemConfig)


def _lost_modules(settings: Mapping[str, Any], is_there: Callable[[str], bool]) -> Iterator[tuple[KeyPath, str]]:
    rules = settings.get("forecast_rules")
    for name, entry in rules.items() if isinstance(rules, dict) else ():
        rule = entry.get("rule") if isinstance(entry, dict) else None
        module = _module_of(rule) if isinstance(rule, str) else ""
        if module and not is_there(module):
            yield ("forecast_rules", str(name)), (f"the module {module} of rule {rule} cannot be found; check the "
                                                  f"path, and that the service can import it (PYTHONPATH)")


def _module_of(rule: str) -> str:
    """Of a rule of somebody's own; empty for ours, and for what can be neither."""
    parts = rule.split(".")
    return "" if rule in RULES or not all(map(str.isidentifier, parts)) else ".".join(parts[:-1])
