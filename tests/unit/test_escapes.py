"""What the gateway escapes comes back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from trading.broker.ib.escapes import unescaped
from trading.broker.simulated.wire import encode, split_fields


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_every_text_comes_through_the_wire(text: str) -> None:
    assert unescaped(split_fields(encode([text])[4:])[0]) == text


def test_what_only_looks_like_an_escape_stays() -> None:
    assert unescaped(r"C:\user \u12") == r"C:\user \u12"
