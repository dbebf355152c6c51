"""A Flex Web Service on this machine that answers what a test has laid ready, and keeps what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "81723004518291"


def ordered(url: str, reference: str = "1234567890") -> str:
    return (f'<FlexStatementResponse timestamp="03 March, 2026 02:12 AM EST"><Status>Success</Status>'
            f"<ReferenceCode>{reference}</ReferenceCode><Url>{url}/GetStatement</Url></FlexStatementResponse>")


def refusal(code: int, text: str) -> str:
    return (f'<FlexStatementResponse timestamp="03 March, 2026 02:12 AM EST"><Status>Warn</Status>'
            f"<ErrorCode>{code}</ErrorCode><ErrorMessage>{text}</ErrorMessage></FlexStatementResponse>")


class FlexServer:
    """`answers` in turn, each a text, a status, or None for silence; the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[str | int | None] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/flex"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.asked.append((parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if said is None:
            self.over.wait(30)
            return
        handler.send_response(said if isinstance(said, int) else 200)
        handler.end_headers()
        handler.wfile.write(said.encode() if isinstance(said, str) else b"")

    @contextmanager
    def serving(self) -> Iterator["FlexServer"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
