"""Where the numbers of pysystemtrade follow from a shortcut, a named choice between the right answer and its own. Pure.

The default is right. The other is there so that somebody who comes from pysystemtrade can tell a change of method from
a mistake; nothing in production asks for it.
"""

from enum import StrEnum


class Conventions(StrEnum):
    """Whose answer to give where ours and pysystemtrade's differ."""

    OURS = "ours"
    PYSYSTEMTRADE = "pysystemtrade"
