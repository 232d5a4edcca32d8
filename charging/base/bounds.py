"""How large things may be, in one place: texts, numbers, and the state of an account.

A text is bounded before it is a key of anything that is remembered. Every number that a caller sees is a signed 64-bit
integer, so nothing may grow past it, sums included: the bounds leave room for the sums that views make.
`charging.ledger.within` holds accounts to them.
"""

IDENTITY_CHARS_MAX = 128
"""Before it is normalised, spaces and signs included; the longest that comes out has 74."""
ROUTE_CHARS_MAX = 128
"""Of an identity or "domain:GD/3", as the data center is asked for it."""
KEY_CHARS_MAX = 64
"""Of a request key that a caller makes, ASCII."""
CODE_CHARS_MAX = 64
"""Of the code of a channel or partner."""
ID_CHARS_MAX = 64
"""Of what a caller names: books, sessions, thresholds, offerings."""
ACTOR_CHARS_MAX = 200
TEXT_CHARS_MAX = 256
"""Of a reason and whatever else is only kept and shown."""
ATTRIBUTE_CHARS_MAX = 64
"""Of the name and of the value of an attribute of an event."""

AMOUNT_MAX = 10**15
"""Of every amount in one command or of one usage, micro-units or units: a billion yuan. What is larger is a slip of the
catalogue or of the front end, and would end the balance."""
BOOK_MAX = 10**18
"""Of what one book holds, or owes, micro-units or units."""
FUNDS_MAX = 4 * 10**18
"""Of what all books of an account hold together, whatever their units."""
COUNTER_MAX = 10**18
"""Of one accumulator, either side of zero."""
USED_MAX = 10**17
"""Of the whole quantity of one unit of a session, or of one event, base units: thirty-two add up below `FUNDS_MAX`."""
GRANT_MAX = 1 << 50
"""Of one open quota, of what a session's step may ask or report, and of what it keeps of one accumulator, base units:
two thousand of them add up below `FUNDS_MAX`."""
QUANTITY_DEFAULTS = {"second": 31 * 86_400, "byte": 1 << 50, "event": 1_000_000}
"""By unit: the largest quantity of one usage where the catalogue names none."""
QUANTITY_DEFAULT = 1 << 50
"""The same of any other unit."""
TIME_MS_MAX = 1 << 53
MOMENT_MS_MAX = 253_370_764_800_000
"""Beginning of the year 9999, UTC: a moment that a caller names is a day of the calendar in every zone."""
"""Of any moment, milliseconds UTC: what a double holds exactly."""
VERSION_MAX = 1 << 53
PRIORITY_DEFAULT = 100
"""Of a book where nobody says one; lower goes first."""
PRIORITY_MAX = (1 << 31) - 1
"""Either side of zero."""
CYCLE_DAY_MAX = 31
"""Last day of month on which a bill cycle may begin; a shorter month has it on its last day."""
OPEN_END = 1 << 62
"""Stands where a time or a quantity has no end: behind all that have one. Never kept, only compared with."""

SESSIONS_MAX = 64
"""Open sessions of one account."""
UNITS_MAX = 32
"""Units of one session: services, or rating groups of them."""
MEMBERS_MAX = 1_000
BOOKS_MAX = 64
THRESHOLDS_MAX = 32
DUES_MAX = 64
"""Fees and credits that one command brings."""
PAST_DAYS_MAX = 92
"""How many days ago a change of a contract may hold from, whatever a catalogue says: so long journals are kept."""
PAYEES_MAX = 1_000
"""Accounts whose bills one account pays."""
FEE_MARKS_MAX = 1_000
"""Fees of an account of which it is known until when they are posted."""
SUMS_MAX = 2_000
"""Of the buckets of an account: periods, items and members multiply. A charge that would make one more is refused."""
SUMS_UNWEIGHED_MAX = 64
"""So many sums fit any account, as of counters."""
SUM_MAX = 10**18
"""Of one sum, either side of zero, micro-units."""
COUNTERS_MAX = 10_000
COUNTERS_UNWEIGHED_MAX = 256
"""So many counters fit any account: a charge that makes a new one has its account weighed only beyond them."""
COUNTER_KEY_CHARS_MAX = 300
ID_BYTES_MAX = 400
"""Of an account id, an identity, an order id, encoded: two of them fit the name of a record."""
CONTRACT_BYTES_MAX = 200_000
"""Of a contract packed. An opening, or a step of a port, has it in its journal entry."""
ACCOUNT_BYTES_MAX = 500_000
"""Of an account packed. A storage unit takes twice that in one record."""
