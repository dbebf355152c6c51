"""processes.yaml, changed to say what an edited view says, and nothing else: comments, order and quotes stay. Pure.

A process that did not change keeps its lines to the letter; those of a changed one are written anew, around its
comments.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from daemon.configuration.crontab_view import TRIGGERS, Values, flow, read_view, without_nothing
from trading.config_files import merged
from trading.errors import ConfigError
from trading.yaml_document import ConfigProblems, Loader, read_yaml

NAME: Final = "processes.yaml"


class NotEditable(ConfigError):
    """The file is written in a way that cannot be changed without losing something."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{NAME} cannot be changed through the view: {reason}. Edit the file itself; it is applied "
                         f"when it is saved.")


def processes_in(text: str, shipped: str = "") -> dict[str, Values]:
    """The processes that `text` means over the `shipped` text, each with its keys as they are written.

    Raises:
        ConfigError: one of the texts is no YAML.
    """
    values: dict[str, Any] = merged({"processes": _entries(shipped)}, {"processes": _entries(text)})["processes"]
    return {str(name): without_nothing(entry) for name, entry in values.items() if isinstance(entry, dict)}


def apply_view(old_text: str, view: str, shipped: str = "") -> str:
    """`old_text` changed so that, over the `shipped` text, it means what `view` says.

    Raises:
        ConfigError: the view or the text means nothing, or cannot be changed this way.
    """
    wanted = {name: without_nothing(line.values) for name, line in read_view(view).items()}
    now, base = processes_in(old_text, shipped), _entries(shipped)
    blocks = _Blocks.of(old_text)
    for name in now:
        if name not in wanted:
            blocks.remove(name, leave_null=name in base)
    for name, values in wanted.items():
        if now.get(name) != values:
            blocks.write(name, now.get(name, {}), values, base.get(name) or {})
    newer = blocks.text()
    if processes_in(newer, shipped) != wanted:
        raise NotEditable("the result would not say what the view says (are there anchors or repeated keys?)")
    return newer


def _entries(text: str) -> dict[str, Any]:
    document = read_yaml(NAME, text.encode())
    if document.problems:
        raise ConfigProblems(list(document.problems))
    found = document.values.get("processes")
    return found if isinstance(found, dict) else {}


@dataclass
class _Blocks:
    """The text in pieces: what stands before the processes, each process with the comments above it, the rest."""

    head: str
    blocks: dict[str, str]
    tail: str
    indent: int
    step: int

    @classmethod
    def of(cls, text: str) -> "_Blocks":
        lines = text.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        root = yaml.compose(text, Loader=Loader)
        pairs = root.value if isinstance(root, yaml.MappingNode) and not root.flow_style else []
        place = next((i for i, (key, _) in enumerate(pairs) if key.value == "processes"), None)
        if place is None:
            if root is not None and not pairs:
                raise NotEditable("it is written in braces")
            return cls("".join(lines) + "processes:\n", {}, "", 2, 2)
        key, node = pairs[place]
        end = _first_line(lines, pairs[place + 1][0].start_mark.line, 0) if place + 1 < len(pairs) else len(lines)
        if not isinstance(node, yaml.MappingNode):
            return cls("".join(lines[:key.start_mark.line]) + "processes:\n", {},
                       "".join(lines[key.start_mark.line + 1:]), 2, 2)
        if node.flow_style:
            raise NotEditable("its processes are written in braces")
        return cls._cut(lines, node, end)

    @classmethod
    def _cut(cls, lines: list[str], node: yaml.MappingNode, end: int) -> "_Blocks":
        names = [str(key.value) for key, _ in node.value]
        first = node.value[0][0].start_mark
        above = [_first_line(lines, key.start_mark.line, first.column) for key, _ in node.value] + [end]
        inner = next((value.start_mark.column for _, value in node.value
                      if isinstance(value, yaml.MappingNode) and not value.flow_style), first.column + 2)
        return cls("".join(lines[:above[0]]), {name: "".join(lines[above[i]:above[i + 1]])
                                               for i, name in enumerate(names)},
                   "".join(lines[end:]), first.column, inner - first.column)

    def text(self) -> str:
        return self.head + "".join(self.blocks.values()) + self.tail

    def remove(self, name: str, leave_null: bool) -> None:
        """Take `name` out; where it is shipped, a null says so."""
        self.blocks.pop(name, None)
        if leave_null:
            self.blocks[name] = f"{' ' * self.indent}{flow(name)}: null\n"

    def write(self, name: str, now: Values, wanted: Values, base: Mapping[str, Any]) -> None:
        """Make the lines of `name` say `wanted`."""
        body, rest = _without_end(self.blocks.get(name, f"{' ' * self.indent}{flow(name)}:\n"))
        yaml_text = self._round_trip()
        try:
            document = yaml_text.load("processes:\n" + body)
        except YAMLError as error:
            raise NotEditable(f"{name} refers to other places (anchors)") from error
        entry = document["processes"][name]
        if not isinstance(entry, CommentedMap):
            entry = document["processes"][name] = CommentedMap()
        _change(entry, now, wanted, base)
        output = io.StringIO()
        yaml_text.dump(document, output)
        self.blocks[name] = output.getvalue().partition("processes:\n")[2] + rest

    def _round_trip(self) -> YAML:
        yaml_text = YAML(typ="rt")
        yaml_text.Representer = _Representer
        yaml_text.preserve_quotes = True
        yaml_text.width = 10**6
        yaml_text.indent(mapping=self.step, sequence=self.step + 2, offset=self.step)
        yaml_text.map_indent = self.step
        return yaml_text


class _Representer(RoundTripRepresenter):
    """Writes null as a word, because an empty value looks like a forgotten one."""


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))


def _first_line(lines: list[str], line: int, column: int) -> int:
    """The line with which a block begins: that of its key, or of the comments right above it."""
    while line > 0 and lines[line - 1].lstrip().startswith("#") and _column(lines[line - 1]) >= column:
        line -= 1
    return line


def _without_end(block: str) -> tuple[str, str]:
    """A block without its last blank lines and comments, and those."""
    lines = block.splitlines(keepends=True)
    last = max(i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")) + 1
    return "".join(lines[:last]), "".join(lines[last:])


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def _change(entry: CommentedMap, now: Values, wanted: Values, base: Mapping[str, Any]) -> None:
    for key in dict.fromkeys((*entry, *now, *base)):
        if key not in wanted:
            entry.pop(key, None)
            if base.get(key) is not None:
                entry[key] = None
    for key, value in wanted.items():
        if now.get(key) == value and not (key in entry and entry[key] is None):
            continue
        written = _styled(_over(base.get(key), value))
        if key in TRIGGERS and key not in entry:
            entry.insert(0, key, written)
        else:
            entry[key] = written


def _over(base: Any, wanted: Any) -> Any:
    """What must be written so that, merged over `base`, it is `wanted`: keys that have gone become null."""
    if not isinstance(base, dict) or not isinstance(wanted, dict):
        return wanted
    return {key: _over(base.get(key), value) for key, value in wanted.items()} | {
        key: None for key in base if key not in wanted}


def _styled(value: Any) -> Any:
    """As a person would write it: one line, quotes where they are needed (and around times and expressions)."""
    if isinstance(value, dict):
        styled = CommentedMap((_styled(key), _styled(each)) for key, each in value.items())
        styled.fa.set_flow_style()
        return styled
    if isinstance(value, list):
        sequence = CommentedSeq(_styled(each) for each in value)
        sequence.fa.set_flow_style()
        return sequence
    if isinstance(value, str):
        return value if flow(value) == value and ":" not in value else DoubleQuotedScalarString(value)
    return value
