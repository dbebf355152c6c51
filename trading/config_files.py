"""The files of a configuration folder, each merged key by key over its shipped defaults. What they mean is not
known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading.shipped import shipped_folder
from trading.yaml_document import KeyPath, Place, Problem, YamlText, read_yaml

Texts = Mapping[str, str]  # file name -> what it says


def is_shipped(folder: Path) -> bool:
    """Whether `folder` is the one with the shipped defaults."""
    return folder.resolve() == shipped_folder().resolve()


@dataclass(frozen=True)
class MergedFile:
    """One merged file and where each of its keys stands."""

    name: str
    values: dict[str, Any]
    places: Mapping[KeyPath, Place]
    problems: tuple[Problem, ...]

    @classmethod
    def read(cls, name: str, folder: Path, texts: Texts | None) -> "MergedFile":
        values: dict[str, Any] = {}
        places: dict[KeyPath, Place] = {}
        problems: tuple[Problem, ...] = ()
        for layer in _layers(name, folder, texts):
            values = merged(values, layer.values)
            places |= layer.places
            problems += layer.problems
        return cls(name, values, places, problems)

    def place(self, path: KeyPath) -> Place:
        """The place of `path`, or of its nearest parent that is written somewhere."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(file=self.name))


def _layers(name: str, folder: Path, texts: Texts | None) -> Iterator[YamlText]:
    """What is shipped, then what the operator wrote."""
    if not is_shipped(folder):
        yield _layer(shipped_folder() / name)
    if texts is None:
        yield _layer(folder / name)
    elif name in texts:
        yield read_yaml(str(folder / name), texts[name].encode("utf-8", "surrogateescape"))


def _layer(path: Path) -> YamlText:
    try:
        return read_yaml(str(path), path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return YamlText()
    except OSError as error:
        what = f"it cannot be read: {error.strerror}. Let the user of the service read it."
        return YamlText(problems=(Problem(place=Place(file=str(path)), what=what),))


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`new` over `old`, key by key; a null takes away what was there, so the built-in default is back."""
    both = {key: merged(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
            for key, value in new.items()}
    gone = {key for key, value in new.items() if value is None and key in old}
    return {key: value for key, value in (old | both).items() if key not in gone}
