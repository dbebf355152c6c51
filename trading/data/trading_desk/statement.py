"""A statement of the broker that a person has: compared with our books, and what it proves is booked."""

from dataclasses import dataclass
from typing import ClassVar

from trading.broker.ib.statement import statement_of
from trading.data.broker_statement import StatementDesk, in_words
from trading.data.trading_desk.deed import Deed, Plan, Signed
from trading.data.trading_desk.records import LongText, Records


@dataclass(frozen=True, kw_only=True)
class BookStatement(Deed):
    """`document` is the XML of a Flex report."""

    verb: ClassVar[str] = "statement"
    document: LongText

    def plan(self, records: Records, signed: Signed) -> Plan:
        house = records.house
        statement = statement_of(self.document.encode(), house.statement_zone)
        desk = StatementDesk(store=records.store, account=house.account, trading_day=house.trading_day)
        found = desk.look(statement, signed.at, records.session)
        booked = {each.subject: each for each in found.differences if each.heard}
        days = f"{statement.first}" if statement.first == statement.last else f"{statement.first} to {statement.last}"
        about = f"{statement.kind} of {statement.account}, {days}: {in_words(found)}"
        left_out = [f"{count} rows are no trades of futures and were not compared: {kind}"
                    for kind, count in found.left_out]
        return Plan(before={f"{each.kind} {name}": each.now for name, each in booked.items()},
                    after={f"{each.kind} {name}": each.then for name, each in booked.items()},
                    meaning=f"{about}. {len(booked)} of these are booked; nothing is sent to the broker.",
                    done=f"{about}. {len(booked)} of these were booked.",
                    warnings=(*(each.sentence for each in found.for_a_person), *left_out),
                    write=lambda session: desk.book_within(found, session))
