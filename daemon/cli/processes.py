"""tradectl run, pause, resume, reset, kill, skip, backfill, resolve: one process or one run."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import confirm, reason_option, send, yes_option
from daemon.cli.output import json_option, print_json, tell
from trading.errors import ConfigError


@click.command()
@click.argument("process")
@click.option("--force", is_flag=True, help="Ignore pause, dependencies, window and a TERMINATED state.")
@click.option("--no-wait", is_flag=True, help="Return as soon as it has started.")
@reason_option
@json_option
@click.pass_obj
def run(settings: Settings, process: str, force: bool, no_wait: bool, reason: str, as_json: bool) -> int:
    """Run PROCESS now, and wait for its end.

    Ctrl-C ends the waiting, never the run.

    Example: tradectl run update_fx_prices
    """
    done = send(settings, f"/processes/{process}/run", reason, 86_400, force=force, wait=not no_wait)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done['run']}: {done['state']}{'. ' + done['reason'] if done['reason'] else ''}")
    return 0 if done["state"] in ("FINISHED", "STARTING", "RUNNING") else 1


@click.command()
@click.argument("process")
@click.option("--until", help="Resume by itself at this time (ISO 8601 with offset).")
@reason_option
@json_option
@click.pass_obj
def pause(settings: Settings, process: str, until: str | None, reason: str, as_json: bool) -> None:
    """Start PROCESS no more until it is resumed. A run that is at work goes on to its end; a service stops.

    Example: tradectl pause run_stack_handler --reason "exchange holiday"
    """
    done = send(settings, f"/processes/{process}/pause", reason, until=until)
    tell(done, f"{process} is paused{f' until {until}' if until else ''}. Let it run again: tradectl resume {process}",
         as_json)


@click.command()
@click.argument("process")
@reason_option
@json_option
@click.pass_obj
def resume(settings: Settings, process: str, reason: str, as_json: bool) -> None:
    """Let a paused PROCESS run again at its next slot; what was skipped meanwhile is not made up for.

    Example: tradectl resume run_stack_handler
    """
    done = send(settings, f"/processes/{process}/resume", reason)
    tell(done, f"{process} runs again when it is next due.", as_json)


@click.command()
@click.argument("process")
@reason_option
@json_option
@click.pass_obj
def reset(settings: Settings, process: str, reason: str, as_json: bool) -> None:
    """Forget how PROCESS ended, so that it can start afresh.

    Example: tradectl reset run_systems --reason "data repaired"
    """
    done = send(settings, f"/processes/{process}/reset", reason)
    tell(done, f"{process} is {done['state']}.", as_json)


@click.command()
@click.argument("process")
@reason_option
@yes_option
@json_option
@click.pass_obj
def kill(settings: Settings, process: str, reason: str, yes: bool, as_json: bool) -> None:
    """Kill a running PROCESS with everything that it started, at once. To ask it politely: tradectl stop PROCESS

    Example: tradectl kill run_stack_handler --reason "exchange halt" --yes
    """
    confirm(f"{process} is killed in the middle of its work.", yes)
    done = send(settings, f"/processes/{process}/kill", reason)
    tell(done, f"{process} was killed ({done['run']}). It stays TERMINATED until: tradectl reset {process}", as_json)


@click.command()
@click.argument("process")
@click.argument("slot")
@reason_option
@json_option
@click.pass_obj
def skip(settings: Settings, process: str, slot: str, reason: str, as_json: bool) -> None:
    """Call off one future SLOT of PROCESS, as `tradectl schedule next` names it.

    Example: tradectl skip update_fx_prices 2026-12-24T06:00+00:00 --reason "half day"
    """
    done = send(settings, f"/processes/{process}/skip", reason, slot=slot)
    tell(done, f"{process} does not run at {slot}.", as_json)


@click.command()
@click.argument("process")
@click.option("--from", "start", required=True, help="First slot (ISO 8601 with offset).")
@click.option("--to", "end", required=True, help="Last slot.")
@click.option("--max", "most", default=10, show_default=True, help="At most so many.")
@click.option("--dry-run", is_flag=True, help="Only list the slots.")
@reason_option
@yes_option
@json_option
@click.pass_obj
def backfill(settings: Settings, process: str, start: str, end: str, most: int, dry_run: bool, reason: str,
             yes: bool, as_json: bool) -> None:
    """Run past slots of PROCESS, oldest first, one after the other.

    Example: tradectl backfill update_fx_prices --from 2026-03-02T00:00Z --to 2026-03-05T00:00Z --dry-run
    """
    asked: dict[str, Any] = {"from": start, "to": end, "max": most}
    planned = send(settings, f"/processes/{process}/backfill", reason, dry_run=True, **asked)["slots"]
    if planned and not dry_run:
        confirm(f"{process} runs {len(planned)} past slots, {planned[0]} to {planned[-1]}.", yes)
        send(settings, f"/processes/{process}/backfill", reason, **asked)
    words = "\n".join(planned) if dry_run else f"{len(planned)} slots of {process} wait to run."
    tell({"process": process, "slots": planned, "done": not dry_run}, words if planned else "No slot lies there.",
         as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--finished", is_flag=True, help="It did its work.")
@click.option("--failed", is_flag=True, help="It did not.")
@reason_option
@yes_option
@json_option
@click.pass_obj
def resolve(settings: Settings, run_id: str, finished: bool, failed: bool, reason: str, yes: bool,
            as_json: bool) -> None:
    """Say what became of a LOST RUN, after a look at its log; what depends on it goes on accordingly.

    Example: tradectl resolve "run_systems@2026-03-02T21:30:00Z#1" --finished --yes
    """
    if finished == failed:
        raise ConfigError("Say either --finished (it did its work) or --failed (it did not).")
    verdict = "finished" if finished else "failed"
    confirm(f"{run_id} counts as {verdict} from now on.", yes)
    done = send(settings, "/runs/resolve", reason, run=run_id, verdict=verdict)
    tell(done, f"{done['run']} is {done['state']}.", as_json)


COMMANDS = {"run": run, "pause": pause, "resume": resume, "reset": reset, "kill": kill, "skip": skip,
            "backfill": backfill, "resolve": resolve}
