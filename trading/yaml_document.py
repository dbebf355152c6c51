"""YAML text as plain values, with the place of every key, so that a mistake can name file, line and column. Pure.

Nothing surprising is read: no tags, no key twice, and 20:00 or 2026-02-30 stay the text that they are (YAML 1.1 would
make 1200 of the one and a date of the other).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from trading.errors import ConfigError

LARGEST_BYTES: Final = 1_000_000
_MOST_VALUES: Final = 100_000  # aliases may unfold a small file into a large one
_DEEPEST: Final = 50
_WIDEST: Final = 110
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # where the library was built with it
_CORE: Final = "tag:yaml.org,2002:"
_KNOWN_TAGS: Final = frozenset(f"{_CORE}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null",
                                                             "merge"))

KeyPath = tuple[str, ...]


class Loader(_FAST):  # type: ignore[misc] # which of the library's two loaders it is, is known at run time only
    """The library's safe loader without times in base 60 and without dates."""

    yaml_implicit_resolvers: Mapping[str, Any] = {}


for _tag, _pattern, _first in (
        ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
        ("int", r"[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+", "-+0123456789"),
        ("float", r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
                  r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+0123456789."),
        ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
        ("merge", r"<<", "<")):
    Loader.add_implicit_resolver(f"{_CORE}{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands; line and column count from 1, `source` is the line itself."""

    file: str
    line: int = 1
    column: int = 1
    source: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def shown(self) -> str:
        """The line with a caret under the column; empty when the line is."""
        return pointed_at(self.source, self.line, self.column)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake: where, in which key, and what about it."""

    place: Place
    path: KeyPath = ()
    what: str

    def __str__(self) -> str:
        key = f"{'.'.join(self.path)}: " if self.path else ""
        shown = self.place.shown()
        return without_secrets(f"{self.place}: {key}{self.what}" + (f"\n{shown}" if shown else ""))


class ConfigProblems(ConfigError):
    """Everything that is wrong, at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda each: (
            each.place.file, each.place.line, each.place.column)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, kw_only=True)
class YamlText:
    """One text, read: its values, the place of each key, and what is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def without_secrets(text: str) -> str:
    """`text` without passwords in addresses and behind keys that promise one; a message may end up anywhere."""
    text = re.sub(r"(://[^/:@\s]*):[^/@\s]+@", r"\1:***@", text)
    return re.sub(r"(?im)^(\s*\d+ \|.*?(?:password|secret|token|api_key)\s*[:=]\s*)\S.*$", r"\1***", text)


def pointed_at(source: str, line: int, column: int) -> str:
    """`source` with its line number, and a caret under `column`; a long line is cut around it."""
    if not source.strip():
        return ""
    first = max(0, min(column - _WIDEST // 2, len(source) - _WIDEST))
    seen = "".join(letter if letter.isprintable() else " " for letter in source[first:first + _WIDEST])
    margin = f"{line:>5} | "
    return f"{margin}{seen.rstrip()}\n{' ' * (len(margin) + column - 1 - first)}^"


def read_yaml(file: str, data: bytes) -> YamlText:
    """What `data` says; `file` is how messages name it."""
    try:
        text = _decoded(file, data)
        root = yaml.compose(text, Loader=Loader)
        if root is None:
            return YamlText()
        reader = _Reader(file, text.splitlines())
        reader.walk(root, ())
        if reader.problems:
            return YamlText(places=reader.places, problems=tuple(reader.problems))
        return YamlText(values=_mapping(Loader("").construct_document(root), file), places=reader.places)
    except ConfigProblems as error:
        return YamlText(problems=error.problems)
    except yaml.MarkedYAMLError as error:
        return YamlText(problems=(_not_yaml(file, text, error),))
    except yaml.YAMLError as error:
        place = Place(file=file)
        return YamlText(problems=(Problem(place=place, what=f"not YAML: {str(error).splitlines()[0]}."),))


def resolved_as_text(value: str) -> bool:
    """Whether `value`, written without quotes, would be read back as text."""
    tag: str = Loader("").resolve(yaml.ScalarNode, value, (True, False))
    return tag == f"{_CORE}str"


def _decoded(file: str, data: bytes) -> str:
    if len(data) > LARGEST_BYTES:
        raise _alone(file, 1, 1, f"the file has {len(data):,} bytes, allowed are {LARGEST_BYTES:,}. "
                                 f"This is no configuration; restore the right file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[:error.start]
        raise _alone(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"),
                     f"not UTF-8 text: {error.reason} at byte {error.start}. Save the file as UTF-8.") from error


def _alone(file: str, line: int, column: int, what: str) -> ConfigProblems:
    return ConfigProblems([Problem(place=Place(file=file, line=line, column=column), what=what)])


def _mapping(values: Any, file: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise _alone(file, 1, 1, f"expected `key: value` lines, found a {type(values).__name__}.")
    return values


def _not_yaml(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark, lines = error.problem_mark, text.splitlines()
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    source = lines[line - 1] if line <= len(lines) else ""
    return Problem(place=Place(file=file, line=line, column=column, source=source),
                   what=f"not YAML: {error.problem or error.context}.")


@dataclass
class _Reader:
    """Walks the tree that the library made: places of keys, keys that stand twice, tags, endless aliases."""

    file: str
    lines: list[str]
    places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def walk(self, node: yaml.Node, path: KeyPath) -> None:
        self.values += 1
        if self.values > _MOST_VALUES or len(path) > _DEEPEST:
            too = "deep" if len(path) > _DEEPEST else "many"
            raise ConfigProblems([self._problem(node, path[:3], f"too {too} values; is an alias (*name) inside of "
                                                                f"what it repeats? Write the values out.")])
        if node.tag not in _KNOWN_TAGS:
            self.problems.append(self._problem(node, path, f"the tag {node.tag.replace(_CORE, '!!')} is not allowed. "
                                                           f"Write a plain value."))
        for key, place, value in self._children(node):
            here = (*path, key)
            if here in self.places:
                self.problems.append(Problem(place=place, path=here, what=f"this key stands here twice (first in "
                                             f"{self.places[here]}). Keep one of them."))
                continue
            self.places[here] = place
            self.walk(value, here)

    def _children(self, node: yaml.Node) -> Iterator[tuple[str, Place, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield str(key.value), self._place(key), value
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield str(index), self._place(item), item

    def _problem(self, node: yaml.Node, path: KeyPath, what: str) -> Problem:
        return Problem(place=self._place(node), path=path, what=what)

    def _place(self, node: yaml.Node) -> Place:
        line = node.start_mark.line
        return Place(file=self.file, line=line + 1, column=node.start_mark.column + 1,
                     source=self.lines[line] if line < len(self.lines) else "")
