"""Where the store and the gateway listen, as a file that somebody may read at any moment."""

from pathlib import Path

import pytest

from daemon.whereabouts import Whereabouts, read_whereabouts, write_whereabouts


@pytest.mark.parametrize("whereabouts", [
    Whereabouts(), Whereabouts(store_uri="mongodb://127.0.0.1:5/", gateway=("127.0.0.1", 4002), clock_offset_s=-9.5)])
def test_what_is_written_is_read(tmp_path: Path, whereabouts: Whereabouts) -> None:
    write_whereabouts(tmp_path / "whereabouts.json", whereabouts)
    assert read_whereabouts(tmp_path / "whereabouts.json") == whereabouts
    assert [file.name for file in tmp_path.iterdir()] == ["whereabouts.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"gateway": [], "store_uri": null, "clock_offset_s": 0}',
                                  '{"gateway": ["h", "p"], "store_uri": null, "clock_offset_s": 0}'])
def test_a_file_that_says_something_else_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    assert read_whereabouts(tmp_path / "file") == Whereabouts()


def test_where_nobody_wrote_nothing_is_known(tmp_path: Path) -> None:
    assert read_whereabouts(tmp_path / "none") == Whereabouts()
