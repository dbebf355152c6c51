"""O57: one way to reach people is broken; they hear of it on the other, and trading goes on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from trading_scene import TradingScene, playing, until

sys.path.insert(0, str(Path(__file__).parents[2] / "contract"))

from alert_servers import Mailbox, free_port, mail_server

MAILBOX = Mailbox()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    """A service whose webhook nobody serves; its mails arrive."""
    with mail_server(MAILBOX) as port:
        email = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "tradingd@firm.example",
                 "to": ["ann@firm.example"]}
        service = {"alerts": {"webhook": {"url": f"http://127.0.0.1:{free_port()}/trading"}, "email": email}}
        with playing(TradingScene(tmp_path_factory.mktemp("scene"), service=service)) as scene:
            yield scene


def test_o57_a_channel_that_is_down_keeps_no_order_waiting_and_the_other_one_tells(scene: TradingScene) -> None:
    # given somebody who trades in our account, and the instrument that is locked for it
    scene.gateway.fault("manual_trade", contract=next(iter(scene.books())), size=1)
    scene.settle()
    [locked] = scene.locks()
    until(lambda: any(locked in mail.get_content() for mail in MAILBOX.mails), 30, "a mail tells of it")

    # when another one is traded, then it is
    traded = scene.trade(next(name for name in scene.instruments() if name != locked), 1)
    assert (traded.executed, traded.filled) == (1, 1)

    # and the service says which channel is broken
    assert "The webhook at 127.0.0.1" in scene.call("alerts")
    assert "does not answer" in str(scene.ask("GET", "/alerts")["delivery_problems"])
    scene.make_whole()
    assert scene.books() == scene.theirs()
