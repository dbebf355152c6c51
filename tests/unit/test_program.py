"""The digest of a program: any change of its files is another program, and nothing else is."""

from pathlib import Path

import pytest

from daemon.program import program_digest


@pytest.fixture
def program(tmp_path: Path) -> Path:
    for name in ("daemon", "processes", "trading/tables", "docs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "daemon" / "main.py").write_text("run()\n")
    (tmp_path / "trading" / "tables" / "codes.csv").write_text("201,REJECTED\n")
    return tmp_path


def test_a_program_is_the_same_wherever_it_lies(program: Path) -> None:
    before = program_digest(program)
    moved = program.with_name("elsewhere")
    program.rename(moved)
    assert program_digest(moved) == before


@pytest.mark.parametrize("changed", ["daemon/main.py", "trading/tables/codes.csv", "processes/new.py"])
def test_another_file_or_content_is_another_program(program: Path, changed: str) -> None:
    before = program_digest(program)
    (program / changed).write_text("# another one\n")
    assert program_digest(program) != before


def test_a_file_of_another_name_is_another_program(program: Path) -> None:
    before = program_digest(program)
    (program / "daemon" / "main.py").rename(program / "daemon" / "start.py")
    assert program_digest(program) != before


def test_what_python_keeps_beside_and_documents_do_not_count(program: Path) -> None:
    before = program_digest(program)
    (program / "daemon" / "__pycache__").mkdir()
    (program / "daemon" / "__pycache__" / "main.pyc").write_bytes(b"compiled")
    (program / "docs" / "index.md").write_text("# Docs\n")
    assert program_digest(program) == before


def test_its_own_program_has_one() -> None:
    assert len(program_digest()) == 64
