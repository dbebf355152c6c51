"""Write the day's reports as text and html: status, profit and loss, trades, costs, positions, and a summary.

Reads: the store. Writes: reports/<day>/ under the state directory.
If it fails: the reports of that day are missing or old; safe to run again at any time.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from processes.job import JobContext
from trading.errors import DataError, JobIncomplete, NotFound
from trading.log import get_log
from trading.reports import cost_report, positions_report, profit_and_loss_report, status_report, trades_report
from trading.reports.day_summary import day_summary
from trading.reports.report import Report, as_html, as_text

log = get_log()


def run(job: JobContext) -> None:
    """One report after the other; one that cannot be made stops no other."""
    folder = job.state / "reports" / job.day
    folder.mkdir(parents=True, exist_ok=True)
    service, missing = job.config.service, []
    for name, collect in reports(job).items():
        job.checkpoint()
        try:
            save(collect(), folder)
        except (DataError, NotFound) as error:
            log.error("report_not_written", report=name, reason=str(error))
            missing.append(f"{name} ({error})")
    (folder / "day.txt").write_text(day_summary(job.data, job.day, service.base_currency), encoding="utf-8")
    if missing:
        raise JobIncomplete(f"Reports not written: {', '.join(missing)}. All others are; run it again for these.")


def reports(job: JobContext) -> Mapping[str, Callable[[], Report]]:
    """By name, how each is made."""
    data, day, service = job.data, job.day, job.config.service
    return {
        "status": lambda: status_report.collect(data, day, tuple(job.config.processes)),
        "profit_and_loss": lambda: profit_and_loss_report.collect(data, day, service.base_currency, service.timezone),
        "trades": lambda: trades_report.collect(data, day),
        "costs": lambda: cost_report.collect(data, day, service.base_currency, service.timezone),
        "positions": lambda: positions_report.collect(data, day, tuple(job.config.strategies), service.base_currency)}


def save(report: Report, folder: Path) -> None:
    """Both forms of one report."""
    (folder / f"{report.name}.txt").write_text(as_text(report), encoding="utf-8")
    (folder / f"{report.name}.html").write_text(as_html(report), encoding="utf-8")
    log.info("report_written", report=report.name, folder=str(folder))
