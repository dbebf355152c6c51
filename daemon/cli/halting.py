"""tradectl halt, resume-trading, flatten: how much trading is allowed at all."""

from dataclasses import replace
from typing import Any

import click

from daemon.cli.asking import actor, confirm
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import print_json, tell
from daemon.halt_flag import lay_halt_flag
from trading.errors import ConfigError, NotFound, TradingError
from trading.unix_socket import DaemonRefused, DaemonUnreachable

_QUICKLY_S = 10.0
_STORE_AWAY = 503  # as in HTTP

scope_options = (click.option("--strategy", help="Only this strategy."),
                 click.option("--instrument", help="Only this instrument."))


def scoped(command: Any) -> Any:
    for option in reversed(scope_options):
        command = option(command)
    return command


@click.command()
@click.option("--level", type=click.Choice(["no-new-risk", "halt", "sever"]),
              help="no-new-risk: only reductions; halt (default): nothing is sent; sever: disconnect from the broker.")
@scoped
@click.option("--cancel-working", is_flag=True, help="Of a strategy or instrument: cancel its working orders as well.")
@deed_command
def halt(asking: Asking, level: str | None, strategy: str | None, instrument: str | None, cancel_working: bool) -> None:
    """Stop trading: in the whole system, or pause one strategy or instrument. Positions are kept.

    Works while the daemon is down, and while the store is down too.

    Example: tradectl halt --reason "strange prices" --yes
    """
    values = {"level": level, "strategy": strategy, "instrument": instrument, "cancel_working": cancel_working}
    try:
        replace(asking, timeout_s=_QUICKLY_S).perform("halt", **values)
    except (DaemonUnreachable, DaemonRefused) as error:
        if isinstance(error, DaemonRefused) and not _cannot_halt(error):
            raise
        _without_daemon(asking, values, error)


@click.command("resume-trading")
@click.option("--level", type=click.Choice(["normal", "no-new-risk", "halt"]),
              help="How far to lower: normal (default), or less. Flattening ends in halt.")
@scoped
@deed_command
def resume_trading(asking: Asking, level: str | None, strategy: str | None, instrument: str | None) -> None:
    """Lower the kill level, or end the pause of one strategy or instrument. Only a person can, with a reason.

    Example: tradectl resume-trading --reason "prices are right again" --yes
    """
    asking.perform("resume-trading", level=level, strategy=strategy, instrument=instrument)
    flag = asking.settings.places.halt_flag
    whole_system = strategy is None and instrument is None and level != "halt"
    if flag.exists() and whole_system and not asking.dry_run:
        flag.unlink(missing_ok=True)
        click.echo(f"The file {flag} is removed; nothing was sent while it was there.", err=asking.as_json)


@click.command()
@click.option("--code", default="", help="The code that the first call has shown.")
@deed_command
def flatten(asking: Asking, code: str) -> None:
    """Close every position at the market, the largest risk first. In two steps: look, then confirm with the code.

    Example: tradectl flatten --reason "leaving all markets"
    """
    risks = _risks(asking)
    if code and not asking.dry_run:
        asking.demand_reason()
        asking.told(asking.send("flatten", code=code, risks=risks))
        return
    shown = asking.preview("flatten", risks=risks)
    if asking.as_json:
        print_json(shown)
        return
    asking.show(shown)
    click.echo(f"To do it, within ten minutes: tradectl flatten --code {shown['code']} --reason \"...\"")


def _risks(asking: Asking) -> dict[str, float]:
    """The risk of a lot of what is held; that it cannot be computed must not keep anybody from leaving."""
    from pymongo.errors import PyMongoError

    from daemon.cli.store import now_of, opened_store

    try:
        with opened_store(asking.settings) as (store, config):
            from trading.data.trading_desk.stored_facts import annual_risks

            return annual_risks(store, config.service.base_currency, now_of(asking.settings, store))
    except DaemonUnreachable:
        raise
    except (TradingError, PyMongoError) as error:
        click.echo(f"The risk of the positions is not known, so they are closed in no particular order: {error}",
                   err=True)
        return {}


def _cannot_halt(error: DaemonRefused) -> bool:
    """Whether it is not our words that are wrong: its store is away, or it only stands by."""
    return error.status == _STORE_AWAY or error.kind == "Standby"


def _without_daemon(asking: Asking, values: dict[str, Any], why: TradingError) -> None:
    """Write the level to the store; if that does not answer either, the file that stops everything."""
    from pymongo.errors import PyMongoError

    asking.demand_reason()
    if asking.dry_run:
        raise why
    confirm(f"The daemon does not do it ({why}) The halt is written to the store, without it.", asking.yes)
    try:
        done = _written_to_store(asking, values)
    except (PyMongoError, TradingError) as error:
        _write_flag(asking, values, str(error))
        return
    if isinstance(done, TradingError):
        raise done
    tell(done, f"{done['done']} No daemon did this: it is in the store, and holds wherever one leads or starts.",
         asking.as_json)


def _written_to_store(asking: Asking, values: dict[str, Any]) -> dict[str, Any] | TradingError:
    """What was done, or why the words were wrong; raises when the store cannot be used."""
    import secrets
    from dataclasses import asdict

    from daemon.cli.store import opened_store
    from daemon.house import house_of
    from trading.data.trading_desk.asked import deed_of
    from trading.data.trading_desk.deed import DeedRefused, Signed
    from trading.data.trading_desk.desk import TradingDesk
    from trading.data.trading_desk.kill import RaiseKill

    with opened_store(asking.settings) as (store, config):
        signed = Signed(id=secrets.token_hex(12), who=actor(), why=asking.reason, at=store.clock.now())
        try:
            return asdict(TradingDesk(store, house_of(config)).do(deed_of(RaiseKill, values), signed))
        except (ConfigError, NotFound, DeedRefused) as error:
            return error


def _write_flag(asking: Asking, values: dict[str, Any], problem: str) -> None:
    flag = asking.settings.places.halt_flag
    if values["strategy"] or values["instrument"]:
        raise TradingError(f"Nothing was paused: neither the daemon nor the store answers ({problem}) "
                           f"Without them only everything can be halted: tradectl halt --reason \"...\"")
    said = lay_halt_flag(flag, actor(), asking.reason)
    tell(said | {"file": str(flag)}, f"The store does not answer: {problem}\nWrote {flag}: while it is there, tradingd "
         f"on this machine sends nothing to the broker. Orders that work there live on. To go on: tradectl "
         f"resume-trading", asking.as_json)


COMMANDS = {"halt": halt, "resume-trading": resume_trading, "flatten": flatten}
