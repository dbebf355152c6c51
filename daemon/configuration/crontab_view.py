"""The schedule as a crontab: one process a line, for people to read and to edit. Pure.

    0 6 * * 1-5     update_fx_prices   timeout=PT15M needs_broker=yes
    @every PT5M     run_stack_handler  timeout=PT4M window={start: 08:00, stop: 20:00}

What a value says is what processes.yaml would say in its place, on one line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from trading.errors import ConfigError
from trading.process_config import ProcessConfig
from trading.yaml_document import Loader, pointed_at, resolved_as_text

Values = dict[str, Any]  # the keys of one process, as processes.yaml has them

TRIGGERS: Final = ("cron", "every", "after_finish", "on_success_of")
HEADER: Final = """\
# The schedule of tradingd: one process a line.
#   when  process  key=value key=value ...
# when: minute hour day-of-month month day-of-week (0 and 7 are Sunday), or @daily, @weekly, @monthly, or
#   @every PT5M            repeatedly, aligned to the start of the window
#   @after_finish PT1M     again this long after it has ended
#   @on_success_of NAME    whenever NAME has finished
# A value with blanks stands in quotes, a list in [a, b], several keys in {start: 20:00, stop: 23:50}.
# enabled=no switches a process off. was=NAME on a renamed process carries its history on.
# The order of the lines changes nothing. Comments of yours live in processes.yaml, where they are kept.
"""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./:+-]*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OPTION: Final = re.compile(r"([A-Za-z_]+)=")
_WORD: Final = re.compile(r"[^ \t]+")
_CLOSING: Final = {"[": "]", "{": "}"}


class ViewError(ConfigError):
    """Lines of the view that mean nothing, all at once."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))


@dataclass(frozen=True, kw_only=True)
class ViewLine:
    """One process: its keys, and where the line and each key stand."""

    number: int
    source: str
    values: Values
    columns: Mapping[str, int]

    def mistake(self, key: str, what: str) -> str:
        """`what` about `key`, with line, column, the line and a caret."""
        column = self.columns.get(key, 1)
        return mistake(self.number, column, f"{key}: {what}" if key else what, self.source)


def to_view(processes: Mapping[str, Mapping[str, Any]]) -> str:
    """The crontab of `processes` (name -> its keys as processes.yaml has them)."""
    rows = [(_when(values), name, _options(values)) for name, values in processes.items()]
    widths = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    lines = [f"{when:<{widths[0]}}  {name:<{widths[1]}}  {options}".rstrip() for when, name, options in rows]
    return HEADER + "\n" + "\n".join(lines) + ("\n" if lines else "")


def from_view(text: str) -> dict[str, Values]:
    """The processes of a view.

    Raises:
        ViewError: with `line L, column C` for everything that is wrong.
    """
    return {name: dict(line.values) for name, line in read_view(text).items()}


def read_view(text: str) -> dict[str, ViewLine]:
    """The processes of a view, and where each of them stands.

    Raises:
        ViewError: with `line L, column C` for everything that is wrong.
    """
    lines: dict[str, ViewLine] = {}
    mistakes: list[str] = []
    for number, source in enumerate(text.split("\n"), start=1):
        if not source.strip() or source.lstrip().startswith("#"):
            continue
        try:
            name, line = _LineReader(number, source.rstrip("\r")).read()
            if name in lines:
                column = line.columns["process"]
                raise ViewError([mistake(number, column, f"{name} stands here twice (first in line "
                                         f"{lines[name].number}). Keep one of them.", source)])
            lines[name] = line
        except ViewError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ViewError(mistakes)
    return lines


def without_nothing(values: Mapping[str, Any]) -> Values:
    """The keys that say something: a null is the default, and blanks in a cron expression do not count."""
    said = {key: value for key, value in values.items() if value is not None}
    if isinstance(said.get("cron"), str):
        said["cron"] = " ".join(said["cron"].split())
    return said


def flow(value: Any) -> str:
    """`value` in YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and not value.endswith(":") and resolved_as_text(value) else \
            _quoted(value)
    return str(yaml.safe_dump(value, width=10**6)).partition("\n")[0]


def mistake(line: int, column: int, what: str, source: str) -> str:
    """A message about one place of a view, with the line and a caret."""
    shown = pointed_at(source, line, column)
    return f"line {line}, column {column}: {what}" + (f"\n{shown}" if shown else "")


def _quoted(text: str) -> str:
    """In double quotes, on one line, whatever `text` holds."""
    return str(yaml.safe_dump(text, default_style='"', width=10**6)).rstrip("\n")


def _when(values: Mapping[str, Any]) -> str:
    said = without_nothing(values)
    trigger = next((key for key in TRIGGERS if key in said), None)
    if trigger is None:
        return "-"
    return str(said[trigger]) if trigger == "cron" else f"@{trigger} {flow(said[trigger])}"


def _options(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={flow(value)}" for key, value in without_nothing(values).items() if key not in TRIGGERS)


@dataclass
class _LineReader:
    """Reads one line from left to right."""

    number: int
    source: str
    position: int = 0
    columns: dict[str, int] = field(default_factory=dict)

    def read(self) -> tuple[str, ViewLine]:
        values = self._trigger()
        name = self._word("the process is missing; a line is: when, process, options")
        if not _NAME.fullmatch(name):
            self._refuse(self.columns["word"], f"{name} is no name of a process (letters, digits and _). "
                                               f"Before it stand five cron fields, or @every, @after_finish, "
                                               f"@on_success_of with a value")
        self.columns["process"] = self.columns["word"]
        for key, value in self._options():
            values[key] = value
        return name, ViewLine(number=self.number, source=self.source, values=values, columns=self.columns)

    def _trigger(self) -> Values:
        first = self._word("the line is empty")
        start = self.columns["word"]
        key = first.removeprefix("@")
        if first.startswith("@"):
            if key in TRIGGERS[1:]:
                self.columns[key] = start
                return {key: self._value(self._word(f"{first} needs a value, for example {first} "
                                                    f"{'NAME' if key == 'on_success_of' else 'PT5M'}"))}
            self.columns["cron"] = start
            return {"cron": first}
        self.columns["cron"] = start
        fields = [first, *(self._word(f"a cron expression has five fields, then comes the process; the line ends "
                                      f"after {count}") for count in range(1, 5))]
        return {"cron": " ".join(fields)}

    def _options(self) -> Iterator[tuple[str, Any]]:
        while self._skip_blanks():
            start = self.position
            found = _OPTION.match(self.source, start)
            if found is None:
                word = self.source[start:].split()[0]
                hint = "comments live in processes.yaml" if word.startswith("#") else "write key=value"
                self._refuse(start + 1, f"{word} is no option; {hint}")
            key = found.group(1)
            if key in TRIGGERS or key not in ProcessConfig.model_fields:
                self._refuse(start + 1, _unknown(key))
            if key in self.columns:
                self._refuse(start + 1, f"{key} stands here twice. Keep one of them")
            self.columns[key] = start + 1
            self.position = found.end()
            yield key, self._value(self._flow_text())

    def _flow_text(self) -> str:
        """Up to the next blank outside of quotes and brackets."""
        start, quote = self.position, ""
        open_brackets: list[str] = []
        while self.position < len(self.source):
            letter = self.source[self.position]
            if quote:
                self.position += letter == "\\" and quote == '"'
                quote = "" if letter == quote else quote
            elif letter in "\"'" and (open_brackets or self.position == start):
                quote = letter
            elif letter in _CLOSING:
                open_brackets.append(_CLOSING[letter])
            elif open_brackets and letter == open_brackets[-1]:
                open_brackets.pop()
            elif letter in " \t" and not open_brackets:
                break
            self.position += 1
        if quote or open_brackets:
            self._refuse(start + 1, f"{quote or open_brackets[-1]} is missing at the end")
        self.columns["word"] = start + 1
        return self.source[start:self.position]

    def _value(self, text: str) -> Any:
        column = self.columns["word"]
        try:
            root = yaml.compose(text, Loader=Loader)
            return "" if root is None else Loader("").construct_document(root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._refuse(column + (mark.column if mark else 0), f"{text} is no value: "
                                                                f"{getattr(error, 'problem', None) or error}")

    def _word(self, when_missing: str) -> str:
        if not self._skip_blanks():
            self._refuse(len(self.source) + 1, when_missing)
        start = self.position
        word = _WORD.match(self.source, start)
        assert word is not None, "blanks were skipped"
        self.position, self.columns["word"] = word.end(), start + 1
        return word.group()

    def _skip_blanks(self) -> bool:
        """Whether anything is left."""
        while self.position < len(self.source) and self.source[self.position] in " \t":
            self.position += 1
        return self.position < len(self.source)

    def _refuse(self, column: int, what: str) -> NoReturn:
        raise ViewError([mistake(self.number, column, f"{what}.", self.source)])


def _unknown(key: str) -> str:
    from difflib import get_close_matches

    if key in TRIGGERS:
        return f"{key} says when it runs; that stands at the start of the line"
    close = get_close_matches(key, ProcessConfig.model_fields, n=1)
    return f"unknown option {key}" + (f" (did you mean {close[0]}?)" if close else "")
