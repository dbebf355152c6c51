"""tradectl reconcile: how our books and the broker's compare, when that was looked at, and what differs."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from daemon.cli.__main__ import Settings
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table
from trading.errors import ConfigError, TradingError

if TYPE_CHECKING:
    from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns

_HANDLER: Final = "run_stack_handler"
_LATELY: Final = 20
_WITHIN_S: Final = 120


@click.group(invoke_without_command=True)
@click.option("--last", "count", type=click.IntRange(1, 1000), default=5, show_default=True, help="So many runs.")
@click.option("--run", "runs", is_flag=True, help="Have the stack handler compare now, and wait for what it finds.")
@json_option
@click.pass_context
def reconcile(ctx: click.Context, count: int, runs: bool, as_json: bool) -> int:
    """Show the last comparisons of our books with the broker's, and what differed at the newest one.

    Nothing is traded before one has passed for the connection of now. What each break means, and what to do about it:
    docs/operations.md, section Breaks.

    Example: tradectl reconcile
    """
    return 0 if ctx.invoked_subcommand is not None else _comparisons(ctx.obj, count, runs, as_json)


def _comparisons(settings: Settings, count: int, runs: bool, as_json: bool) -> int:
    from daemon.cli.store import opened_store
    from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns

    serving = _serving_run(settings) if runs else None
    code = _run_handler(settings, as_json) if runs and serving is None else 0
    with opened_store(settings) as (store, _config):
        stored = MongoReconciliationRuns(store)
        if serving is not None:
            code = _await_another(stored, serving)
        found = stored.recent(count)
    if as_json:
        print_json([_run(run) for run in found])
    else:
        _show(found)
    return code


@reconcile.command()
@click.argument("file", type=click.Path(path_type=Path))
@deed_command
def statement(asking: Asking, file: Path) -> None:
    """Compare a Flex statement of the broker (FILE, as XML) with our fills, and book what it proves.

    Executions that we missed, that were taken back or corrected, and commissions that never came are booked as if the
    broker had just told of them. What our books have and the statement lacks is only told, and locked. Reading the
    same statement again changes nothing.

    Example: tradectl reconcile statement flex.xml --reason "trades of Friday" --yes
    """
    replace(asking, timeout_s=_WITHIN_S).perform("statement", document=_text(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{file} cannot be read: {why}. Give the XML file of a Flex query. "
                          f"Nothing was booked.") from error


def _serving_run(settings: Settings) -> str | None:
    """The run of a stack handler that is at work, waits for something to do, and compares when it is asked to."""
    from trading.unix_socket import request

    [newest] = request(settings.places.socket, "GET", f"/processes/{_HANDLER}/history?limit=1") or [{}]
    return str(newest["run"]) if newest.get("state") == "RUNNING" else None


def _await_another(stored: "MongoReconciliationRuns", serving: str) -> int:
    """Ask for a comparison that begins from now on, and wait for its end; 1 when it found that something differs.

    Raises:
        TradingError: there is none in time.
    """
    before = {run.id for run in stored.recent(_LATELY)}
    stored.ask()
    until_s = time.monotonic() + _WITHIN_S
    while time.monotonic() < until_s:
        newer = [run for run in stored.recent(_LATELY) if run.id not in before and run.ended is not None]
        if newer:
            return 1 if newer[0].breaks or newer[0].verdict == "FAIL" else 0
        time.sleep(0.2)
    raise TradingError(f"{serving} has not compared within {_WITHIN_S} s: an order may keep it busy. It does as soon "
                       f"as it can. See: tradectl logs {_HANDLER}")


def _run_handler(settings: Settings, as_json: bool) -> int:
    """Run the stack handler; 1 when it did not finish well, and its reason on standard error."""
    from daemon.cli.asking import send

    done = send(settings, f"/processes/{_HANDLER}/run", "compare with the broker", 86_400, force=False, wait=True)
    ended_well = done["state"] == "FINISHED"
    if not (as_json and ended_well):
        click.echo(f"{done['run']}: {done['state']}{'. ' + done['reason'] if done['reason'] else ''}", err=as_json)
    return 0 if ended_well else 1


def _show(found: list[Any]) -> None:
    print_table([_line(run) for run in found], {
        "begun": "BEGUN (UTC)", "kind": "WHY", "verdict": "VERDICT", "breaks": "BREAKS", "epoch": "CONNECTION",
        "problem": ""}, "Our books have not been compared with the broker yet.")
    breaks = found[0].breaks if found else ()
    if breaks:
        click.echo()
        print_table([{"id": each.id.value, "instrument": each.instrument or "-", "sentence": each.sentence}
                     for each in breaks], {"id": "BREAK", "instrument": "INSTRUMENT", "sentence": "WHAT"}, "")


def _line(run: Any) -> dict[str, Any]:
    verdict = "none" if run.verdict is None else run.verdict.value
    return {"begun": run.begun.strftime("%Y-%m-%d %H:%M:%S"), "kind": run.kind.value, "verdict": verdict,
            "breaks": len(run.breaks), "epoch": run.epoch, "problem": run.problem}


def _run(run: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(run)


COMMANDS = {"reconcile": reconcile}
