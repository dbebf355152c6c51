"""Write the day's reports as text and html: status, profit and loss, trades, costs, positions, and a summary.

Reads: the store. Writes: reports/<day>/ under the state directory.
If it fails: the reports of that day are missing or old; safe to run again at any time.
"""

from pathlib import Path

from processes.job import JobContext
from trading.log import get_log
from trading.reports import cost_report, positions_report, profit_and_loss_report, status_report, trades_report
from trading.reports.day_summary import day_summary
from trading.reports.report import Report, as_html, as_text

log = get_log()


def run(job: JobContext) -> None:
    """One report after the other."""
    folder = job.state / "reports" / job.day
    folder.mkdir(parents=True, exist_ok=True)
    service = job.config.service
    for report in (
            status_report.collect(job.data, job.day, tuple(job.config.processes)),
            profit_and_loss_report.collect(job.data, job.day, service.base_currency, service.timezone),
            trades_report.collect(job.data, job.day),
            cost_report.collect(job.data, job.day, service.base_currency, service.timezone),
            positions_report.collect(job.data, job.day, tuple(job.config.strategies), service.base_currency)):
        job.checkpoint()
        save(report, folder)
    (folder / "day.txt").write_text(day_summary(job.data, job.day, service.base_currency), encoding="utf-8")


def save(report: Report, folder: Path) -> None:
    """Both forms of one report."""
    (folder / f"{report.name}.txt").write_text(as_text(report), encoding="utf-8")
    (folder / f"{report.name}.html").write_text(as_html(report), encoding="utf-8")
    log.info("report_written", report=report.name, folder=str(folder))
