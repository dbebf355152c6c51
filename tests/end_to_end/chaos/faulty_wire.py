"""A wire between a daemon and its store that loses answers, or gives wrong ones, when a test asks for it.

It understands what passes: each command as a document, and what was written before it in the same transaction. So a
fault hits one certain write and nothing else. Whatever it has no rule for, it passes on as it is.
"""

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import bson

Document = dict[str, Any]
HEADER: Final = struct.Struct("<iiii")  # length, request id, response to, kind
OP_MSG: Final = 2013
CHECKSUM, ROWS = 1, 1  # a flag of a message; the kind of a section
_MILLION = 1_000_000  # request ids of our own begin here: the driver's never meet them within a test


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with its rows inside, as if it had been sent in one piece."""

    document: Document
    earlier: tuple[Document, ...] = ()  # the commands before it in the same transaction

    @property
    def name(self) -> str:
        return next(iter(self.document), "")

    @property
    def collection(self) -> str:
        """Empty when it is not about one."""
        value = self.document.get(self.name)
        return value if isinstance(value, str) else ""

    @property
    def written(self) -> list[tuple[str, str, Document]]:
        """Verb, collection and row of each write that it makes durable: its own, or those of its transaction."""
        return [row for each in (*self.earlier, self.document) for row in rows_written(each)]


def rows_written(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Of an update the row is the change: a whole document, operators, or a pipeline under `pipeline`."""
    verb = next(iter(document), "")
    for row in document.get("documents", []) if verb == "insert" else []:
        yield verb, document[verb], row
    for each in document.get("updates", []) if verb == "update" else []:
        yield verb, document[verb], _change(each["u"])
    if verb == "findAndModify":
        yield verb, document[verb], _change(document.get("update", {}))


def _change(change: Any) -> Document:
    return {"pipeline": change} if isinstance(change, list) else change


def body_of(message: bytes) -> Document | None:
    """The document of an OP_MSG, with its rows inside; None for the older kinds, which only greet."""
    if HEADER.unpack_from(message)[3] != OP_MSG:
        return None
    flags = struct.unpack_from("<I", message, HEADER.size)[0]
    position, end = HEADER.size + 4, len(message) - (4 if flags & CHECKSUM else 0)
    body: Document = {}
    while position < end:
        kind, size = message[position], struct.unpack_from("<i", message, position + 1)[0]
        section = message[position + 1:position + 1 + size]
        if kind == ROWS:
            name, _, rows = section[4:].partition(b"\0")
            body[name.decode()] = bson.decode_all(rows)
        else:
            body = bson.decode(section) | body
        position += 1 + size
    return body


def message_of(document: Document, request: int, response_to: int = 0) -> bytes:
    """An OP_MSG of one section."""
    content = b"\0\0\0\0\0" + bson.encode(document)
    return HEADER.pack(HEADER.size + len(content), request, response_to, OP_MSG) + content


@dataclass(kw_only=True)
class Rule:
    """What happens to the commands that it is about, and to which it has happened."""

    about: Callable[[Command], bool]
    times: int | None = None  # None: for ever
    answer: Callable[[Command], Document] | None = None  # None: it is passed on, and its answer lost
    dark_s: float = 0.0  # after it nobody is connected for so long
    hits: list[tuple[float, Command]] = field(default_factory=list)  # by the monotonic clock
    lost: list[Document] = field(default_factory=list)  # answers that nobody has heard

    def wants(self, command: Command) -> bool:
        return (self.times is None or len(self.hits) < self.times) and self.about(command)


class FaultyWire:
    """Listens at `uri`, passes on to the store at `port`."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._rules: list[Rule] = []
        self._transactions: dict[bytes, tuple[int, list[Document]]] = {}  # the newest of each session
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._dark_until_s = 0.0
        # the store's greeting names its own address; without the option the driver would go there
        self.uri = f"mongodb://127.0.0.1:{self._listener.getsockname()[1]}/?directConnection=true"
        threading.Thread(target=self._accept, name="faulty wire", daemon=True).start()

    def lose(self, about: Callable[[Command], bool], times: int = 1, dark_s: float = 0.0) -> Rule:
        """Lose the answers to the next commands `about` which it is, after the store has done them."""
        return self._add(Rule(about=about, times=times, dark_s=dark_s))

    def refuse(self, about: Callable[[Command], bool], answer: Callable[[Command], Document]) -> Rule:
        """Let `answer` stand for the store's to all commands `about` which it is, until mended."""
        return self._add(Rule(about=about, answer=answer))

    def mend(self) -> None:
        """From now on everything passes."""
        with self._lock:
            self._rules.clear()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake whoever accepts
        self._listener.close()
        self._cut_all()

    def rule_for(self, document: Document) -> tuple[Rule, Command] | None:
        """The rule that hits this command, which is counted by it; and what becomes of its transaction is noted."""
        with self._lock:
            command = Command(document=document, earlier=self._earlier(document))
            for rule in self._rules:
                if rule.wants(command):
                    rule.hits.append((time.monotonic(), command))
                    return rule, command
        return None

    def lost(self, rule: Rule, answer: Document) -> None:
        """The store has answered, and nobody hears it."""
        if rule.dark_s:
            self._dark_until_s = time.monotonic() + rule.dark_s
            self._cut_all()
        rule.lost.append(answer)

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def _earlier(self, document: Document) -> tuple[Document, ...]:
        if document.get("autocommit") is not False:
            return ()
        session, number = bytes(document["lsid"]["id"]), document["txnNumber"]
        if self._transactions.get(session, (None,))[0] != number:
            self._transactions[session] = (number, [])
        commands = self._transactions[session][1]
        earlier = tuple(commands)
        commands.append(document)
        return earlier

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    if time.monotonic() < self._dark_until_s:
                        raise ConnectionRefusedError
                    link = _Link(self, client, socket.create_connection(self._server, timeout=5))
                except OSError:
                    client.close()
                else:
                    self._links.add(link)
                    link.start()

    def _cut_all(self) -> None:
        while self._links:
            self._links.pop().cut()


class _Link:
    """One connection of a client, and the one to the store that belongs to it."""

    def __init__(self, wire: FaultyWire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._losing: dict[int, Rule] = {}  # request ids whose answer is to be lost
        self._own: set[int] = set()  # request ids of what we asked ourselves
        self._ids = itertools.count(_MILLION)
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for work in (self._requests, self._answers):
            threading.Thread(target=self._until_cut, args=(work,), name="faulty wire", daemon=True).start()

    def cut(self) -> None:
        for each in (self._client, self._server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _until_cut(self, work: Callable[[], None]) -> None:
        try:
            with suppress(OSError):
                work()
        finally:
            self.cut()

    def _requests(self) -> None:
        while (message := _read(self._client)) is not None:
            document = body_of(message)
            hit = None if document is None else self._wire.rule_for(document)
            if hit is not None:
                rule, command = hit
                request = HEADER.unpack_from(message)[1]
                if rule.answer is not None:
                    self._forget_transaction(command)
                    self._client.sendall(message_of(rule.answer(command), next(self._ids), request))
                    continue
                self._losing[request] = rule
            self._server.sendall(message)

    def _answers(self) -> None:
        while (message := _read(self._server)) is not None:
            answered = HEADER.unpack_from(message)[2]
            if answered in self._losing:
                self._wire.lost(self._losing[answered], body_of(message) or {})
                return
            if answered not in self._own:
                self._client.sendall(message)

    def _forget_transaction(self, command: Command) -> None:
        """A store that refuses a step ends the transaction; ours has not heard of it, and would keep it open."""
        if command.document.get("autocommit") is False:
            self._own.add(request := next(self._ids))
            kept = {key: command.document[key] for key in ("lsid", "txnNumber", "autocommit", "$db")}
            self._server.sendall(message_of({"abortTransaction": 1, **kept}, request))


def _read(source: socket.socket) -> bytes | None:
    """One whole message; None when the other side has closed."""
    header = _exactly(source, HEADER.size)
    if header is None:
        return None
    rest = _exactly(source, HEADER.unpack(header)[0] - HEADER.size)
    return None if rest is None else header + rest


def _exactly(source: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = source.recv(count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
