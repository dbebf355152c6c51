"""What the model of a file says about a wrong value, put into words for a person. Pure."""

from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError

from trading.process_config import ProcessConfig
from trading.yaml_document import KeyPath

_NO_MAPPING: Final = frozenset({"model_type", "dict_type"})
_IN_WORDS: Final = {"bool_parsing": "it must be true or false", "bool_type": "it must be true or false",
                    "string_type": "it must be a text; put it in quotes"}


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
    if mistake["type"] in _NO_MAPPING:
        return f"this is a section with keys of its own; found {mistake['input']!r}"
    said = _IN_WORDS.get(mistake["type"], str(mistake["msg"]).removeprefix("Value error, "))
    found = mistake.get("input")
    plain = isinstance(found, (str, int, float)) and mistake["type"] != "value_error"
    return f"{said}; found {found!r}" if plain else said


def _suggestion(path: KeyPath, model: type[BaseModel]) -> str:
    from difflib import get_close_matches

    section = _section(model, path[:-1])
    close = get_close_matches(path[-1], section.model_fields if section else (), n=1)
    return f" (did you mean {close[0]}?)" if close else f" (check the spelling of {path[-1]})"


def _section(kind: Any, path: KeyPath) -> type[BaseModel] | None:
    """The model that says which keys stand in `path`, below something that is annotated as `kind`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not path:
            return kind
        return _section(kind.model_fields[path[0]].annotation, path[1:]) if path[0] in kind.model_fields else None
    deeper = path[1:] if get_origin(kind) in (dict, list, tuple) else path  # the name of an entry, or its number
    found = (_section(inner, deeper) for inner in get_args(kind))
    return next((section for section in found if section is not None), None)
