"""tradectl import: bring data in."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, tell

if TYPE_CHECKING:
    from trading.data.import_pysystemtrade import ImportedFile

PATIENCE_S: Final = 60.0  # for one statement: nothing waits for an import, and a half one helps nobody


@click.group("import")
def import_() -> None:
    """Bring data into the store."""


@import_.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--hold-back", type=click.IntRange(min=0), default=None,
              help="Recorded days at the end that only the simulated gateway knows (default: 20 in mode simulated).")
@click.option("--brief", is_flag=True, help="A line a folder instead of a line a file.")
@json_option
@click.pass_obj
def pysystemtrade(settings: Settings, folder: Path, hold_back: int | None, brief: bool, as_json: bool) -> int:
    """Import a folder in pysystemtrade's csv layout; a line a file. Repeating it adds nothing twice.

    A malformed file is refused with file, line and column; the others go in, and the exit code is 1.

    Example: tradectl import pysystemtrade ~/pysystemtrade/data/futures
    """
    from daemon.cli.store import opened_store
    from trading.config import Mode
    from trading.data.import_pysystemtrade import PysystemtradeImport

    with opened_store(settings, PATIENCE_S) as (store, config):
        days = hold_back if hold_back is not None else (20 if config.service.mode is Mode.SIMULATED else 0)
        files: list[ImportedFile] = []
        for file in PysystemtradeImport(store, folder, config.service.zone, days).run():
            files.append(file)
            if file.error is not None or not (brief or as_json):
                click.echo(_line(file), err=as_json or file.error is not None)
    if as_json:
        print_json([vars(file) for file in files])
    elif brief:
        _print_folders(files)
    refused = sum(file.error is not None for file in files)
    if not as_json:
        click.echo(f"{len(files)} files: {len(files) - refused} imported, {refused} refused, "
                   f"{sum(file.added for file in files):,} rows added, "
                   f"{sum(file.held_back for file in files):,} held back for the simulated gateway.")
    return 1 if refused else 0


@import_.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same markets.")
@json_option
def sample(folder: Path, seed: int, as_json: bool) -> None:
    """Generate sample markets in pysystemtrade's layout: for trying things out without data.

    Example: tradectl import sample ./sample_data
    """
    from trading.data.csv.sample_markets import write_sample_markets

    written = write_sample_markets(folder, seed)
    tell({"folder": str(folder), "markets": written}, f"Generated {written} sample markets under {folder}. "
         f"Import them: tradectl import pysystemtrade {folder}", as_json)


def _line(file: "ImportedFile") -> str:
    if file.error is not None:
        return f"REFUSED {file.error}"
    held = f", {file.held_back:,} held back" if file.held_back else ""
    remarks = f" ({'; '.join(file.remarks)})" if file.remarks else ""
    return f"{file.file:<42} {file.read:>8,} rows, {file.added:>8,} added{held}{remarks}"


def _print_folders(files: "Sequence[ImportedFile]") -> None:
    folders: dict[str, list[ImportedFile]] = {}
    for file in files:
        folders.setdefault(file.file.partition("/")[0], []).append(file)
    for name, members in folders.items():
        click.echo(f"  {name:<22} {len(members):>3} files {sum(file.read for file in members):>9,} rows "
                   f"{sum(file.added for file in members):>9,} added")


COMMANDS = {"import": import_}
