"""What the wire makes of the bytes that pass: a wrong reading would let a fault miss its write. Pure, no sockets."""

import struct

import bson
import pytest
from faulty_wire import HEADER, OP_MSG, Command, Document, body_of, message_of

OP_QUERY = 2004
BODY = b"\0" + bson.encode({"insert": "ticks", "$db": "db"})


def a_message(*sections: bytes, flags: int = 0, tail: bytes = b"", kind: int = OP_MSG) -> bytes:
    content = struct.pack("<I", flags) + b"".join(sections) + tail
    return HEADER.pack(HEADER.size + len(content), 7, 0, kind) + content


def rows(name: str, *documents: Document) -> bytes:
    content = name.encode() + b"\0" + b"".join(bson.encode(each) for each in documents)
    return b"\1" + struct.pack("<i", len(content) + 4) + content


@pytest.mark.parametrize("sections", [[BODY, rows("documents", {"_id": 1}, {"_id": 2})],
                                      [rows("documents", {"_id": 1}, {"_id": 2}), BODY]], ids=["behind", "before"])
def test_rows_sent_apart_stand_in_their_command(sections: list[bytes]) -> None:
    body = body_of(a_message(*sections))

    assert body == {"insert": "ticks", "$db": "db", "documents": [{"_id": 1}, {"_id": 2}]}
    assert Command(document=body).name == "insert"


def test_a_checksum_is_no_section() -> None:
    assert body_of(a_message(BODY, flags=1, tail=b"\1\2\3\4")) == {"insert": "ticks", "$db": "db"}


def test_an_old_greeting_has_no_command() -> None:
    assert body_of(a_message(BODY, kind=OP_QUERY)) is None


def test_an_answer_of_our_own_is_read_as_it_was_written() -> None:
    message = message_of({"ok": 0.0, "code": 13}, 5, 7)

    assert HEADER.unpack_from(message) == (len(message), 5, 7, OP_MSG)
    assert body_of(message) == {"ok": 0.0, "code": 13}


def test_a_commit_makes_durable_what_its_transaction_wrote() -> None:
    # given
    earlier: tuple[Document, ...] = (
        {"find": "process_runs", "filter": {"_id": "a"}},
        {"insert": "process_runs", "documents": [{"_id": "a"}]},
        {"update": "process_states", "updates": [{"q": {"_id": "p"}, "u": {"v": 2}}]})

    # then
    assert Command(document={"commitTransaction": 1}, earlier=earlier).written == [
        ("insert", "process_runs", {"_id": "a"}), ("update", "process_states", {"v": 2})]
    assert Command(document={"commitTransaction": 1}).collection == ""


@pytest.mark.parametrize(("change", "row"), [
    ({"$set": {"state": "RUNNING"}}, {"$set": {"state": "RUNNING"}}),
    ([{"$set": {"token": 1}}], {"pipeline": [{"$set": {"token": 1}}]}),
    (None, {}),
])
def test_a_find_and_modify_writes_its_change(change: object, row: Document) -> None:
    document = {"findAndModify": "leases", "query": {"_id": "leader"}} | ({} if change is None else {"update": change})

    assert Command(document=document).written == [("findAndModify", "leases", row)]
