"""Compare with any directory of independent numbers: `make golden ORACLE=DIR DATA=DIR`. A line a case, a total."""

import sys
from pathlib import Path

import pytest
from oracle import DATA, ORACLE

NO_CASE = "NOTSET"  # pytest's word where a directory has nothing to compare with


class Lines:
    """Writes a line for each case, and counts."""

    def __init__(self) -> None:
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (report.when == "call" or (report.when == "setup" and not report.passed)) and NO_CASE not in report.nodeid:
            self.counts[report.outcome] += 1
            case = report.nodeid.rpartition("/")[2] if "[" not in report.nodeid else \
                f"{report.nodeid.partition('[')[2].rstrip(']')}  ({report.nodeid.partition('::')[2].partition('[')[0]})"
            print(f"{report.outcome:<7} {case}", flush=True)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """No dots between the lines."""
        return report.outcome, "", ""


def main() -> int:
    """0 when at least one case was found and none failed; 2 when there is nothing to look at."""
    for name, folder in (("ORACLE", ORACLE), ("DATA", DATA)):
        if not folder.is_dir():
            print(f"There is no directory {folder}. Name one that is laid out like the independent numbers: "
                  f"make golden {name}=DIR", file=sys.stderr)
            return 2
    lines = Lines()
    code = pytest.main([str(Path(__file__).parent), "-m", "shared", "-q", "-q", "--tb=short"], plugins=[lines])
    counts = lines.counts
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 0 if code == 0 and counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
