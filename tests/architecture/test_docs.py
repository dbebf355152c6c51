"""What the documentation and the help texts promise exists: every command in them parses."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from daemon.__main__ import _parser
from daemon.cli.__main__ import COMMANDS, tradectl

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
PLACEHOLDERS = {"PROCESS": "run_systems", "ORDER": "IO-1", "INSTRUMENT": "ALPHA", "STRATEGY": "s"}


def commands_in(page: Path, program: str) -> Iterator[str]:
    """Calls of `program` in the code of `page`: lines of its blocks, and what stands between backticks."""
    text = page.read_text()
    blocks = FENCED.findall(text)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += INLINE.findall(FENCED.sub("", text))
    return (line.partition("  #")[0].partition("   ")[0].strip() for line in lines if line.startswith(f"{program} "))


def parsed(words: list[str], command: click.Command, parent: click.Context | None = None) -> click.Command:
    """The command that `words` call, its arguments checked as far as that is possible without running it."""
    if isinstance(command, click.Group) and not (command.invoke_without_command and _is_alone(words)):
        options = {option for each in command.params for option in each.opts}
        while words[0] in options:
            words = words[2:]  # such as --config FOLDER
        name, found, rest = command.resolve_command(click.Context(command, parent=parent), words)
        assert found is not None, name
        return parsed(rest, found, click.Context(command, parent=parent))
    paths = {option.name: click.STRING for option in command.params if isinstance(option.type, click.Path)}
    kinds = {option.name: option.type for option in command.params}
    try:
        for option in command.params:  # a documented folder need not exist here
            option.type = paths.get(option.name or "", option.type)
        command.make_context(command.name, list(words), parent=parent)
    finally:
        for option in command.params:
            option.type = kinds[option.name]
    return command


def _is_alone(words: list[str]) -> bool:
    """Whether a group is asked for itself: nothing but options."""
    return all(word.startswith("-") for word in words)


def words_of(line: str) -> list[str]:
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(line)]


TRADECTL = sorted({(page.name, line) for page in PAGES for line in commands_in(page, "tradectl")
                   if "──" not in line and "|" not in line})
MAKE = sorted({(page.name, line) for page in PAGES for line in commands_in(page, "make")})


def test_the_documentation_names_commands_at_all() -> None:
    assert len(TRADECTL) >= 12
    assert len(MAKE) >= 4


@pytest.mark.parametrize(("page", "line"), TRADECTL)
def test_a_documented_tradectl_command_exists(page: str, line: str) -> None:
    parsed(words_of(line)[1:], tradectl)


@pytest.mark.parametrize(("page", "line"), MAKE)
def test_a_documented_make_target_exists(page: str, line: str) -> None:
    targets = set(re.findall(r"^([a-z_-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert [word for word in line.split()[1:] if "=" not in word and word not in targets] == []


def test_every_variable_of_make_that_is_documented_is_used() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {name for _page, line in MAKE for name in re.findall(r"\b([A-Z]+)=", line)}
    assert {name for name in named if f"$({name})" not in makefile and f"$(if $({name})" not in makefile} == set()


def test_make_help_names_every_public_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    public = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()) - {"setup", "help"}
    helped = set(re.findall(r"make ([a-z-]+)", makefile))
    assert public <= helped


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from leaves(found, (*words, name))


LEAVES = list(leaves(tradectl, ()))


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_every_command_has_help_with_an_example_that_parses(words: tuple[str, ...], command: click.Command) -> None:
    examples = re.findall(r"Example: tradectl (.+)", command.help or "")
    assert examples, f"tradectl {' '.join(words)} --help shows no example"
    assert parsed(words_of(examples[0]), tradectl) is command


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_every_option_is_explained(words: tuple[str, ...], command: click.Command) -> None:
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_every_command_that_the_messages_of_the_program_name_exists() -> None:
    sources = [path.read_text() for package in ("daemon", "processes", "trading")
               for path in (ROOT / package).rglob("*.py")]
    named = {word for source in sources for word in re.findall(r"(?:See|with|Run|it|Import|again):? tradectl ([a-z]+)",
                                                               source)}
    assert len(named) >= 5
    assert named <= set(COMMANDS)


def test_the_flags_of_the_service_that_make_uses_exist() -> None:
    known = {flag for action in _parser()._actions for flag in action.option_strings}
    used = set(re.findall(r"tradingd (?:.*?)(--[a-z]+)", (ROOT / "Makefile").read_text()))
    used |= set(re.findall(r"tradingd.*?(--[a-z]+)", (ROOT / "systemd" / "tradingd.service").read_text()))
    assert used <= known


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page.read_text())]
    local = [link for link in links if link and not link.startswith(("http", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []
