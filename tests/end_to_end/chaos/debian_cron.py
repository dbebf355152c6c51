"""The real Debian cron, in a root of its own, with a clock that begins where it is told and goes faster than ours.

Its folders are compiled in, so it gets a root (chroot) with nothing but itself. Jobs write down the real time; as the
clock runs evenly, that says which minute cron believed it to be.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

CRON, SHELL = Path("/usr/sbin/cron"), Path("/bin/dash")
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
_RULES = "account required pam_permit.so\nsession required pam_permit.so\nauth required pam_permit.so\n"


class DebianCron:
    """Runs `lines` (tag -> expression) from `start` (aware) on, by the clocks of `zone`."""

    def __init__(self, root: Path, lines: Mapping[str, str], zone: str, start: datetime, rate: int,
                 cron: Path = CRON) -> None:
        assert FAKETIME is not None, "libfaketime is needed (Debian: apt-get install libfaketime)"
        self._root, self._start, self._rate = root, start, rate
        for name in ("bin", "etc/cron.d", "var/spool/cron/crontabs", "var/run", "run", "tmp", "dev/shm", "out"):
            (root / name).mkdir(parents=True)
        for program in (cron, SHELL, Path("/bin/date"), FAKETIME):
            self._install(program)
        for module in sorted(Path("/lib").glob("*/security/pam_permit.so")):
            self._install(module)
        shutil.copy(Path("/usr/share/zoneinfo") / zone, root / "etc" / "localtime")
        (root / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/dash\n")
        (root / "etc" / "group").write_text("root:x:0:\n")
        for service in ("cron", "other", "common-session"):
            (root / "etc" / "pam.d").mkdir(exist_ok=True)
            (root / "etc" / "pam.d" / service).write_text(_RULES)
        (root / "dev" / "null").touch()
        self._local = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        table = root / "var/spool/cron/crontabs/root"
        table.write_text("SHELL=/bin/dash\nPATH=/bin\n" + "".join(
            f"{expression} date +\\%s.\\%N >> /out/{tag}\n" for tag, expression in lines.items()))
        table.chmod(0o600)
        words = ["chroot", str(root), str(cron), "-f"]
        environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"@{self._local:%Y-%m-%d %H:%M:%S} x{rate}",
                       "PATH": os.environ["PATH"]}
        self._log = (root / "tmp" / "log").open("w")
        self._begun_s = time.time()
        self._process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log)

    def stop(self) -> None:
        """Stop it; stopping twice is harmless."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)
            time.sleep(0.3)  # its last jobs
        self._log.close()

    def end(self) -> dict[str, set[datetime]]:
        """Stop it; the minutes (aware, UTC) in which it ran each line."""
        self.stop()
        ran: dict[str, set[datetime]] = defaultdict(set)
        for file in (self._root / "out").iterdir():
            ran[file.name] = {self._minute(float(line)) for line in file.read_text().split()}
        return ran

    def _minute(self, real_s: float) -> datetime:
        instant = self._start + timedelta(seconds=(real_s - self._begun_s) * self._rate)
        return instant.astimezone(UTC).replace(second=0, microsecond=0)

    def _install(self, program: Path) -> None:
        """With the libraries that it is linked against."""
        needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for file in (str(program), *re.findall(r"(/\S+) \(0x", needed)):
            target = self._root / file.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
