"""A readable account of a day that is run at once: a line a process, then what was traded."""

from collections.abc import Callable
from datetime import date

from daemon.places import Places
from trading.control.process_run import ProcessRun


class DayAccount:
    """Tells a person what happens, while it happens."""

    def __init__(self, day: date, places: Places, say: Callable[[str], None]) -> None:
        self._day, self._places, self._say = day, places, say
        say(f"\nTrading day {day:%A %Y-%m-%d}")

    def tell(self, process: str, outcome: ProcessRun | str) -> None:
        """One process has ended, or was left out for a reason."""
        if isinstance(outcome, str):
            self._say(f"  {process:<33} left out    {outcome}")
            return
        seconds = (outcome.ended - outcome.created).total_seconds() if outcome.ended else 0.0
        reason = f"  {outcome.reason}" if outcome.reason else ""
        self._say(f"  {process:<33} {outcome.state.value:<10} {seconds:6.1f} s{reason}")

    def close(self, all_well: bool, seconds: float) -> None:
        """The end: the day's own summary, written by the reports, and where to read on."""
        summary = self._places.reports / self._day.isoformat() / "day.txt"
        if summary.is_file():
            self._say("\n" + summary.read_text().rstrip())
        verdict = "done" if all_well else "NOT complete; see: tradectl status"
        self._say(f"\nThe day is {verdict} ({seconds:.1f} s). Reports: {summary.parent}")
