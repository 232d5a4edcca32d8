"""Types of the fields that several commands have."""

from typing import Annotated

from charging.base.account import MAIN_BOOK, MONEY
from charging.base.bounds import AMOUNT_MAX, CYCLE_DAY_MAX, PRIORITY_DEFAULT, PRIORITY_MAX
from charging.base.fieldtypes import ATTRIBUTES, MICRO_UNITS, NAME, NAMES, TEXT, Choice, Spelt, Text, Whole
from charging.base.names import CURRENCY

Reason = Annotated[str, TEXT]
"""Why it is done: kept, and shown in the history."""
BookId = Annotated[str, Text(empty=MAIN_BOOK)]
RequestKey = Annotated[str, NAME]
UNIT = Choice("UNIT_UNKNOWN", (MONEY, "second", "byte", "event"), empty=MONEY)
Unit = Annotated[str, UNIT]
Priority = Annotated[int, Whole(-PRIORITY_MAX - 1, PRIORITY_MAX, empty=PRIORITY_DEFAULT)]
"""Lower goes first."""
PAYMENT_MODE = Choice("PAYMENT_MODE_UNKNOWN", ("prepaid", "postpaid"))
PaymentMode = Annotated[str, PAYMENT_MODE]
STATUS = Choice("STATUS_UNKNOWN", ("active", "suspended", "closed"))
Status = Annotated[str, STATUS]
"""Of an account, as staff may set it."""
CREDIT_LIMIT = Whole(0, AMOUNT_MAX, unit=MICRO_UNITS, required=True)
CreditLimit = Annotated[int, CREDIT_LIMIT]
NOW, NEXT_CYCLE = "now", "next_cycle"
When = Annotated[str, Choice("WHEN_UNKNOWN", (NOW, NEXT_CYCLE), empty=NOW)]
"""When a change of a contract holds, unless it names its moment."""
Expected = Annotated[int, Whole(0, AMOUNT_MAX)]
"""Version of the contract that a change was decided on; 0 = whatever it is."""
FIRST_FEES = Choice("FIRST_FEES_UNKNOWN", ("", "activation", "change"))
"""Event whose one-time fees fall due as a subscription begins."""
QUANTITY_MAX = 10_000
QUANTITY = Whole(1, QUANTITY_MAX, empty=1)
"""How many of an offering a subscription is of."""
CYCLE_DAY = Whole(1, CYCLE_DAY_MAX, reason="CYCLE_DAY_OUT_OF_RANGE", empty=1)
CycleDay = Annotated[int, CYCLE_DAY]
"""Day of the month on which the bill cycle begins."""
Currency = Annotated[str, Spelt("CURRENCY_MALFORMED", CURRENCY, "a code of ISO 4217 such as EUR, or empty")]
Agreements = Annotated[tuple[str, ...], NAMES]
AttributeMap = Annotated[dict[str, str], ATTRIBUTES]
