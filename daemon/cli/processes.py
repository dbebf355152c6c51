"""tradectl run, pause, resume, reset, kill: one process."""

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, tell
from trading.unix_socket import request

reason_option = click.option("--reason", default="", help="Written to the audit trail.")


@click.command()
@click.argument("process")
@click.option("--force", is_flag=True, help="Ignore pause, dependencies and a TERMINATED state.")
@click.option("--no-wait", is_flag=True, help="Return as soon as it has started.")
@json_option
@click.pass_obj
def run(settings: Settings, process: str, force: bool, no_wait: bool, as_json: bool) -> int:
    """Run PROCESS now, and wait for its end.

    Example: tradectl run update_fx_prices
    """
    done = request(settings.places.socket, "POST", f"/processes/{process}/run",
                   {"force": force, "wait": not no_wait}, timeout_s=86_400)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done['run']}: {done['state']}{'. ' + done['reason'] if done['reason'] else ''}")
    return 0 if done["state"] in ("FINISHED", "STARTING", "RUNNING") else 1


@click.command()
@click.argument("process")
@reason_option
@json_option
@click.pass_obj
def pause(settings: Settings, process: str, reason: str, as_json: bool) -> None:
    """Start PROCESS no more until it is resumed; a running one goes on.

    Example: tradectl pause run_stack_handler --reason "exchange holiday"
    """
    done = request(settings.places.socket, "POST", f"/processes/{process}/pause", {"reason": reason})
    tell(done, f"{process} is paused. Let it run again: tradectl resume {process}", as_json)


@click.command()
@click.argument("process")
@reason_option
@json_option
@click.pass_obj
def resume(settings: Settings, process: str, reason: str, as_json: bool) -> None:
    """Let a paused PROCESS run again at its next slot.

    Example: tradectl resume run_stack_handler
    """
    done = request(settings.places.socket, "POST", f"/processes/{process}/resume", {"reason": reason})
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
    done = request(settings.places.socket, "POST", f"/processes/{process}/reset", {"reason": reason})
    tell(done, f"{process} is NO_PROCESS.", as_json)


@click.command()
@click.argument("process")
@reason_option
@json_option
@click.pass_obj
def kill(settings: Settings, process: str, reason: str, as_json: bool) -> None:
    """Ask a running PROCESS to stop at its next checkpoint; after its grace it is killed.

    Example: tradectl kill run_stack_handler --reason "exchange halt"
    """
    done = request(settings.places.socket, "POST", f"/processes/{process}/stop", {"reason": reason})
    tell(done, f"{process} was asked to stop. See: tradectl status", as_json)


COMMANDS = {"run": run, "pause": pause, "resume": resume, "reset": reset, "kill": kill}
