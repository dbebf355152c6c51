"""Real mail and web servers on loopback, and one that says nothing."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

PASSWORD = "correct horse"


@dataclass
class Mailbox:
    """A mail server that keeps what it takes; `answer` is what it says to the data, `rcpt` to each recipient."""

    answer: str = "250 OK"
    rcpt: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope,  # noqa: N802 (aiosmtpd's name)
                          address: str, options: list[str]) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content or b"", policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str,
                     data: object) -> AuthResult:
        login, password = getattr(data, "login", b""), getattr(data, "password", b"")
        if password == PASSWORD.encode():
            self.users.append(login)
        return AuthResult(success=password == PASSWORD.encode(), handled=False)


@contextmanager
def mail_server(mailbox: Mailbox, **settings: object) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def silent_server() -> Iterator[int]:
    """Accepts connections, and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield int(listener.getsockname()[1])


def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextmanager
def guarded_server(mailbox: Mailbox, certificate: Path) -> Iterator[int]:
    """Wants STARTTLS and a password."""
    with mail_server(mailbox, tls_context=served(certificate), require_starttls=True, auth_required=True,
                     authenticator=mailbox.authenticate) as port:
        yield port


@dataclass
class Hook:
    """A web server that answers `status` and keeps what it was sent."""

    status: int = 200
    location: str | None = None
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def web_server(hook: Hook) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.paths.append(self.path)
            hook.headers.append(dict(self.headers))
            hook.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(hook.status)
            if hook.location is not None:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 (the name in the library)

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
