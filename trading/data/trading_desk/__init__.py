"""What a person may do to orders, positions and controls: each deed shown first, then done once, and never forgotten.

A deed says what is now, what would be and what that means; `TradingDesk.do` does it in one transaction with the event
that names who, why and when. An id is done once, however often it arrives. Nothing here talks to the broker.
"""
