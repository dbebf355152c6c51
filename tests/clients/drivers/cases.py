"""All cases by name."""

import cases_books
import cases_connection
import cases_market
import cases_orders

CASES = {case.__name__: case for module in (cases_connection, cases_market, cases_orders, cases_books)
         for case in vars(module).values() if getattr(case, "__name__", "").startswith("c") and callable(case)
         and case.__name__[1:3].isdigit()}
