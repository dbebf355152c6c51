"""Notes each durable write of an order's life in this process, and kills it right behind one of them.

Python runs this file at its start where the folder is on PYTHONPATH; ORDER_WRITES names the folder of the notes. The
driver tells of each command that succeeded; a transaction is one write, when its commit has succeeded. A write has a
kind: who made it, and in which collections. `plan` in that folder says: NOTES KIND NUMBER SIGNAL. NOTES is the file to
append to, and whoever makes the write NUMBER of KIND gets SIGNAL before it does anything else; number 0 is nobody's.
"""

import os
import sys
from pathlib import Path

# What an order's life is written in. Processes, leases, prices and alerts are not part of it.
COLLECTIONS = frozenset({
    "commands", "instrument_orders", "contract_orders", "broker_orders", "fills", "contract_positions",
    "strategy_positions", "instrument_locks", "events", "broker_messages"})
APPLIED = "journal_applied"  # of the settings: how far the journal is in the books
WRITES = ("insert", "update", "delete", "findAndModify")


def role():
    """`daemon`, `worker` (the zygote, whose forks are the workers), or nothing for all other programs."""
    words = sys.orig_argv
    if "-m" not in words:
        return ""
    return {"daemon": "daemon", "daemon.children.zygote": "worker"}.get(words[words.index("-m") + 1], "")


def install(folder, name):
    import json
    import signal
    import threading

    from pymongo import monitoring

    class Writes(monitoring.CommandListener):
        """One for all connections of a process; forks have their own memory."""

        def __init__(self):
            self.asked, self.open, self.lock = {}, {}, threading.Lock()

        def started(self, event):
            if event.command_name in (*WRITES, "commitTransaction", "abortTransaction"):
                self.asked[event.request_id] = event.command

        def failed(self, event):
            self.asked.pop(event.request_id, None)

        def succeeded(self, event):
            command = self.asked.pop(event.request_id, None)
            if command is None or event.reply.get("writeErrors"):
                return
            session = bytes(command["lsid"]["id"]) if "lsid" in command else b""
            if event.command_name == "abortTransaction":
                self.open.pop(session, None)
            elif event.command_name == "commitTransaction":
                self.written(self.open.pop(session, []))
            elif command.get("autocommit") is False:
                if command.get("startTransaction"):
                    self.open[session] = []
                self.open.setdefault(session, []).append(statement(event.command_name, command))
            else:
                self.written([statement(event.command_name, command)])

        def written(self, statements):
            found = [each for each in statements if each["collection"] in COLLECTIONS or each["ids"] == [APPLIED]]
            if found:
                with self.lock:
                    self.note(found)

        def note(self, found):
            notes, wanted, number, gets = (folder / "plan").read_text().split()
            kind = f"{name}:{'+'.join(sorted({each['collection'] for each in found}))}"
            path = folder / notes
            known = path.read_text().splitlines() if path.exists() else []
            with path.open("a") as file:
                file.write(json.dumps({"kind": kind, "statements": found}) + "\n")
            before = sum(json.loads(line)["kind"] == kind for line in known)
            if (wanted, int(number)) == (kind, before + 1):
                os.kill(os.getpid(), signal.Signals[gets])

    def statement(verb, command):
        conditions = command.get("updates") or command.get("deletes") or ({"q": command.get("query", {})},)
        rows = command.get("documents") or [each["q"] for each in conditions]
        return {"collection": command[verb], "ids": [str(row.get("_id")) for row in rows]}

    if (folder / "plan").exists():
        monitoring.register(Writes())


if "ORDER_WRITES" in os.environ and role():
    install(Path(os.environ["ORDER_WRITES"]), role())
