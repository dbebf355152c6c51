"""tradectl reconcile: how our books and the broker's compare, when that was looked at, and what differs."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table


@click.command()
@click.option("--last", "count", type=click.IntRange(1, 1000), default=5, show_default=True, help="So many runs.")
@click.option("--run", "runs", is_flag=True, help="Compare now: run the stack handler, and wait for its end.")
@json_option
@click.pass_obj
def reconcile(settings: Settings, count: int, runs: bool, as_json: bool) -> int:
    """Show the last comparisons of our books with the broker's, and what differed at the newest one.

    Nothing is traded before one has passed for the connection of now. What each break means, and what to do about it:
    docs/operations.md, section Breaks.

    Example: tradectl reconcile
    """
    code = _compare(settings, as_json) if runs else 0
    from daemon.cli.store import opened_store
    from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns

    with opened_store(settings) as (store, _config):
        found = MongoReconciliationRuns(store).recent(count)
    if as_json:
        print_json([_run(run) for run in found])
    else:
        _show(found)
    return code


def _compare(settings: Settings, as_json: bool) -> int:
    """Run the stack handler; 1 when it did not finish well, and its reason on standard error."""
    from daemon.cli.asking import send

    done = send(settings, "/processes/run_stack_handler/run", "compare with the broker", 86_400, force=False, wait=True)
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
