"""tradectl schedule: when what is due, and changing it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import confirm, yes_option
from daemon.cli.output import json_option, local_time, print_json, print_table, tell

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from daemon.cli.config_desk import Desk
    from trading.process_config import ProcessConfig

reason_option = click.option("--reason", default="", help="Written to the history of the configuration.")
zone_option = click.option("--tz", "zone_name", help="Show times in this zone (IANA name) instead of the operator's.")


@click.group()
def schedule() -> None:
    """When each process is due, and changing that."""


@schedule.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Show the schedule as a crontab: one process a line.

    Example: tradectl schedule list
    """
    from daemon.cli.config_desk import Desk
    from daemon.configuration.crontab_view import to_view

    desk = Desk.of(settings)
    if as_json:
        print_json([{"process": name, **values} for name, values in desk.processes().items()])
    else:
        click.echo(to_view(desk.processes()), nl=False)


@schedule.command("next")
@click.argument("process", required=False)
@click.option("-n", "count", default=20, show_default=True, type=click.IntRange(min=1), help="How many slots.")
@zone_option
@json_option
@click.pass_obj
def next_slots(settings: Settings, process: str | None, count: int, zone_name: str | None, as_json: bool) -> None:
    """List the next slots in order of time: of PROCESS, or of all.

    Example: tradectl schedule next -n 5
    """
    from daemon.cli.config_desk import Desk

    zone = _zone(zone_name) if zone_name else None
    rows = _rows(Desk.of(settings), process, count)
    if as_json:
        print_json(rows)
        return
    shown = [row | {"at": local_time(row["instant"], str(zone))[:16] if zone else
                    row["local"][:16].replace("T", " ")} for row in rows]
    print_table(shown, {"at": f"TIME ({zone})" if zone else "LOCAL TIME", "process": "PROCESS", "explain": "WHEN"},
                "Nothing is scheduled.")


@schedule.command()
@click.argument("expression")
@zone_option
@json_option
@click.pass_obj
def explain(settings: Settings, expression: str, zone_name: str | None, as_json: bool) -> None:
    """Say in words when EXPRESSION (five cron fields, or the name of a process) is due, and the next five times.

    Example: tradectl schedule explain "30 21 * * 1-5"
    """
    from daemon.cli.config_desk import Desk
    from daemon.decisions.upcoming import in_words, next_slots, zone_of

    desk = Desk.of(settings)
    process, calendars, default = _process_or_expression(desk, expression)
    zone = zone_of(process, default)
    shown = _zone(zone_name) if zone_name else zone
    times = [slot.instant.astimezone(shown) for slot, _ in zip(
        next_slots(process, default, calendars, desk.now()), range(5), strict=False)]
    words, warnings = in_words(process), _warnings(process, zone, desk)
    if as_json:
        print_json({"expression": expression, "words": words, "next": [time.isoformat() for time in times],
                    "warnings": warnings})
        return
    click.echo(f"{words} ({zone})")
    for time in times:
        click.echo(f"  {time:%a %Y-%m-%d %H:%M %Z}")
    for warning in warnings:
        click.echo(f"  warning: {warning}")


@schedule.command()
@click.argument("process", required=False)
@json_option
@click.pass_obj
def lint(settings: Settings, process: str | None, as_json: bool) -> None:
    """List what is legal but perhaps not meant: doubtful expressions, times that a change of the clock moves.

    Example: tradectl schedule lint
    """
    from daemon.cli.config_desk import Desk
    from daemon.decisions.upcoming import zone_of

    desk = Desk.of(settings)
    config = desk.checked().config
    rows = [{"process": name, "warning": warning}
            for name, each in (config.processes if process is None else {process: _known(config.processes, process)}
                               ).items()
            for warning in _warnings(each, zone_of(each, config.service.zone), desk)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, {"process": "PROCESS", "warning": "WARNING"}, "Nothing to remark.")


@schedule.command()
@reason_option
@yes_option
@json_option
@click.pass_obj
def edit(settings: Settings, reason: str, yes: bool, as_json: bool) -> None:
    """Edit the schedule as a crontab with $VISUAL or $EDITOR, look at what changes, and apply it.

    Mistakes are shown and can be mended; a wrong schedule is never applied.

    Example: tradectl schedule edit --reason "reports an hour later"
    """
    from daemon.cli.config_desk import Desk
    from daemon.cli.schedule_edit import edited_text

    desk = Desk.of(settings)
    seen, text = edited_text(desk)
    _apply(desk, seen, text, reason, yes, as_json)


@schedule.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True))
@json_option
@click.pass_obj
def check(settings: Settings, path: Path | None, as_json: bool) -> None:
    """Check a configuration folder, one of its files or a crontab without applying it; all mistakes are listed.

    Example: tradectl schedule check
    """
    from daemon.cli.config_desk import Desk
    from daemon.cli.schedule_edit import checked_path

    config = checked_path(Desk.of(settings), path)
    where = str(path or config.folder)
    tell({"ok": True, "path": where, "processes": len(config.processes), "strategies": list(config.strategies)},
         f"{where}: no mistakes; {len(config.processes)} processes, strategies {', '.join(config.strategies)}, mode "
         f"{config.service.mode.value}.", as_json)


@schedule.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@reason_option
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@yes_option
@json_option
@click.pass_obj
def apply(settings: Settings, file: Path, reason: str, dry_run: bool, yes: bool,
          as_json: bool) -> None:
    """Apply FILE: a whole processes.yaml, or a crontab as `tradectl schedule list` prints it.

    Example: tradectl schedule apply new_schedule.crontab --dry-run
    """
    from daemon.cli.config_desk import Desk
    from daemon.cli.schedule_edit import lines_of_changes, text_of_file

    desk = Desk.of(settings)
    text = text_of_file(desk, file)
    if not dry_run:
        _apply(desk, desk.processes_text(), text, reason, yes, as_json)
        return
    lines = lines_of_changes(desk, text)
    tell({"applied": False, "lines": lines}, "\n".join([*lines, "Nothing was applied (--dry-run)."]), as_json)


@schedule.command()
@click.argument("generation", required=False, type=click.IntRange(min=1))
@json_option
@click.pass_obj
def diff(settings: Settings, generation: int | None, as_json: bool) -> None:
    """Compare the files on disk with what they said in GENERATION (default: the one in use).

    Example: tradectl schedule diff
    """
    from daemon.cli.config_desk import Desk
    from daemon.cli.schedule_edit import differences

    desk = Desk.of(settings)
    lines = differences(desk, _generation(desk, generation))
    problem = (desk.daemon or {}).get("problem")
    tell({"generation": generation, "lines": lines, "problem": problem},
         "\n".join([*(lines or ["Nothing differs."]), *([f"The files are not in use: {problem}"] if problem else [])]),
         as_json)


@schedule.command()
@click.option("-n", "count", default=20, show_default=True, type=click.IntRange(min=1), help="How many generations.")
@json_option
@click.pass_obj
def history(settings: Settings, count: int, as_json: bool) -> None:
    """List the configurations that were in use: who changed what, when and why.

    Example: tradectl schedule history -n 5
    """
    from daemon.cli.config_desk import Desk

    rows = Desk.of(settings).history(count)
    if as_json:
        print_json(rows)
        return
    shown = [row | {"at": local_time(row["at"]), "what": "; ".join(row["changes"]) or "-"} for row in rows]
    print_table(shown, {"generation": "GENERATION", "at": "AT (UTC)", "author": "WHO", "source": "HOW",
                        "reason": "WHY", "what": "WHAT"}, "No configuration was recorded yet.")


@schedule.command()
@click.argument("generation", type=click.IntRange(min=1))
@reason_option
@yes_option
@json_option
@click.pass_obj
def rollback(settings: Settings, generation: int, reason: str, yes: bool, as_json: bool) -> None:
    """Make the files say again what they said in GENERATION; that becomes a new generation.

    Example: tradectl schedule rollback 1 --reason "the edit of this morning was wrong"
    """
    from daemon.cli.config_desk import Desk
    from daemon.cli.schedule_edit import lines_between
    from daemon.configuration.config_folder import as_it_was

    desk = Desk.of(settings)
    wanted = as_it_was(desk.generation(generation), desk.texts())
    if wanted == desk.texts():
        tell({"applied": False, "lines": []}, f"The files say what they said in generation {generation} already.",
             as_json)
        return
    lines = lines_between(desk, desk.texts(), wanted)
    _confirm(lines, yes, as_json)
    sentence = desk.rollback(generation, reason or f"back to generation {generation}")
    tell({"applied": True, "lines": lines, "message": sentence}, sentence, as_json)


def _apply(desk: "Desk", seen: str, text: str, reason: str, yes: bool,
           as_json: bool) -> None:
    from daemon.cli.schedule_edit import lines_of_changes

    if text == seen:
        tell({"applied": False, "lines": []}, "Nothing changed.", as_json)
        return
    lines = lines_of_changes(desk, text)
    _confirm(lines, yes, as_json)
    sentence = desk.apply(text, seen, reason)
    tell({"applied": True, "lines": lines, "message": sentence}, sentence, as_json)


def _confirm(lines: list[str], yes: bool, as_json: bool) -> None:
    """Show what would change, and go on only if somebody agrees."""
    if not as_json:
        click.echo("\n".join(lines))
    confirm("This changes the schedule.", yes)


def _rows(desk: "Desk", process: str | None, count: int) -> list[dict[str, Any]]:
    """From the daemon, which knows what is in use; for one process, or without a daemon, from the files."""
    from daemon.decisions.upcoming import upcoming
    from trading.unix_socket import request

    if desk.daemon is not None and process is None:
        rows: list[dict[str, Any]] = request(desk.settings.places.socket, "GET", f"/schedule/next?count={count}")
        return rows
    found = desk.checked()
    processes = found.config.processes
    chosen = processes if process is None else {process: _known(processes, process)}
    return upcoming(chosen, found.config.service.zone, found.calendars, desk.now(), count)


def _process_or_expression(desk: "Desk", text: str) -> "tuple[ProcessConfig, Any, ZoneInfo]":
    """The process that `text` names, or one that runs at the expression `text`; its calendars; the default zone."""
    from daemon.schedule import check as check_cron
    from trading.process_config import ProcessConfig

    if " " in text.strip() or text.startswith("@"):
        check_cron(text)
        return ProcessConfig(cron=text, timeout=3600), {}, desk.zone()
    found = desk.checked()
    return _known(found.config.processes, text), found.calendars, found.config.service.zone


def _warnings(process: "ProcessConfig", zone: "ZoneInfo", desk: "Desk") -> list[str]:
    from daemon import schedule as cron

    if process.cron is None or process.cron.strip() == cron.REBOOT:
        return []
    return cron.lint(process.cron, zone, desk.now())


def _known(processes: Any, name: str) -> "ProcessConfig":
    from trading.errors import ConfigError

    if name not in processes:
        raise ConfigError(f"There is no process {name} (known: {', '.join(processes)}). A cron expression has five "
                          f"fields and stands in quotes.")
    found: ProcessConfig = processes[name]
    return found


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    from trading.errors import ConfigError
    from trading.process_config import known_zone

    try:
        return ZoneInfo(known_zone(name))
    except ValueError as error:
        raise ConfigError(f"--tz: {error}.") from error


def _generation(desk: "Desk", wanted: int | None) -> int:
    from trading.errors import NotFound

    if wanted is not None:
        return wanted
    if desk.daemon is not None and desk.daemon["generation"]:
        return int(desk.daemon["generation"])
    newest = desk.history(1)
    if not newest:
        raise NotFound("No configuration was recorded yet; the service records the first one when it starts.")
    return int(newest[0]["generation"])


COMMANDS = {"schedule": schedule}
