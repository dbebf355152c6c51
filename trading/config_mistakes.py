"""What the model of a file says about a wrong value, put into words for a person. Pure."""

from typing import Any

from pydantic import BaseModel, ValidationError

from trading.process_config import ProcessConfig, Section
from trading.yaml_document import KeyPath


def without_numbers(path: KeyPath) -> KeyPath:
    """Places in a list say nothing to a person; the caret does."""
    return tuple(part for part in path if not part.isdigit())


def understood(values: dict[str, Any], wrong: set[str]) -> ProcessConfig | None:
    """The process of `values` without the keys that are wrong; None when that makes no process."""
    right = {key: value for key, value in values.items() if key not in wrong}
    try:
        return ProcessConfig.model_validate({"timeout": 3600} | right)
    except ValidationError:
        return None


def reason(mistake: Any, path: KeyPath, model: type[BaseModel]) -> str:
    """Why the value of `path` is refused; `mistake` is one of pydantic's."""
    if mistake["type"] == "extra_forbidden":
        return f"unknown key{_suggestion(path, model)}"
    if mistake["type"] == "missing":
        return "this key is missing; add it"
    said = str(mistake["msg"]).removeprefix("Value error, ")
    found = mistake.get("input")
    plain = isinstance(found, (str, int, float)) and mistake["type"] != "value_error"
    return f"{said}; found {found!r}" if plain else said


def _suggestion(path: KeyPath, model: type[BaseModel]) -> str:
    from difflib import get_close_matches

    sections = (ProcessConfig,) if path[0] == "processes" and len(path) == 3 else (model, *Section.__subclasses__())
    known = [name for section in sections for name in section.model_fields]
    close = get_close_matches(path[-1], known, n=1)
    return f" (did you mean {close[0]}?)" if close else f" (check the spelling of {path[-1]})"
