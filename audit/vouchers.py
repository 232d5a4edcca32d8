"""Vouchers of a journal: what they are worth by their states, and that each was used where it was credited, once.

Sheets tell who used what, accounts tell what they were credited; the two are in two journals. So, as with transfers,
only what was there when the audit began is claimed, and looked for in all that was met.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from business.auditing import SubjectAudit
from business.vouchers.codes import SHEETS, read_sheet
from business.vouchers.kind import VOUCHERS
from business.vouchers.sheets import Sheet
from charging.base.account import Account
from charging.base.subject import kind_of
from charging.ledger.commands.settle_voucher import SettleVoucher, VoucherSettled
from charging.ledger.entry import Entry
from charging.ledger.events import Booked
from charging.ledger.kinds import TAGS

SETTLED = TAGS[SettleVoucher]
Credit = tuple[str, str]
"""Serial of a voucher, and the account."""


class VoucherBooks(Struct):
    """What the journals of some slots say of vouchers."""

    worth: dict[str, dict[str, int]] = {}
    """By unit, by state: micro-units or units; and `made`, which the states add up to."""
    used: dict[Credit, int] = {}
    """What sheets say was used, and what it was worth."""
    credited: dict[Credit, list[int]] = {}
    """What accounts took, each time."""
    pending: set[tuple[str, str]] = field(default_factory=set)
    """Account and request key of what is under way."""
    keys: dict[Credit, str] = {}
    """Request keys of what sheets say was used."""

    def note(self, entry: Entry) -> None:
        """Note what an account took."""
        if entry.kind != SETTLED:
            return
        account_id = entry.account_id
        for event in entry.events:
            if isinstance(event, VoucherSettled) and event.serial:
                booked = [each for each in entry.events if isinstance(each, Booked) and each.kind == "voucher"]
                amount = sum(amount for each in booked for _, amount in each.postings)
                self.credited.setdefault((event.serial, account_id), []).append(amount)

    def claimed(self, subjects: Mapping[str, SubjectAudit]) -> "VoucherBooks":
        """Give what is there so far: its other halves must be found."""
        claims = VoucherBooks(credited={credit: list(amounts) for credit, amounts in self.credited.items()})
        claims.look(subjects, ())
        return claims

    def look(self, subjects: Mapping[str, SubjectAudit], accounts: Sequence[Account | None]) -> None:
        """Read sheets and accounts as they are; what has expired until now has."""
        now_ms = time.time_ns() // 1_000_000
        for subject_id, audit in subjects.items():
            if kind_of(subject_id) != SHEETS or audit.state is None:
                continue
            sheet = VOUCHERS.state(audit.state)
            if sheet is not None:
                self._sheet(subject_id, sheet, now_ms)
        for account in accounts:
            if account is not None:
                rows = account.open.outgoing
                self.pending.update((account.account_id, row.key) for row in rows if row.voucher is not None)

    def _sheet(self, subject_id: str, sheet: Sheet, now_ms: int) -> None:
        place, terms = read_sheet(subject_id), sheet.terms
        sums = self.worth.setdefault(terms.unit, {"made": 0})
        sums["made"] += terms.amount * len(sheet.hashes)
        for number in range(1, len(sheet.hashes) + 1):
            state = sheet.state_of(number, now_ms)
            sums[state] = sums.get(state, 0) + terms.amount
        for use in sheet.uses:
            credit = place.serial(use.number), use.account_id
            self.used[credit] = terms.amount
            self.keys[credit] = use.key

    def summed_up(
        self, slot: str, subjects: Mapping[str, SubjectAudit], accounts: Sequence[Account | None]
    ) -> Iterator[str]:
        """Read sheets and accounts as they are at the end, and say what does not add up in one journal by itself."""
        self.look(subjects, accounts)
        for unit, sums in self.worth.items():
            states = sum(amount for state, amount in sums.items() if state != "made")
            if states != sums["made"]:
                yield f"{slot}: vouchers of {sums['made']} {unit} were made, by their states there are {states}"


def match(claims: VoucherBooks, whole: VoucherBooks) -> Iterator[str]:
    """Hold what was used and credited when the audit began against all that was met; gives sentences for people."""
    for (serial, account_id), amounts in claims.credited.items():
        worth = whole.used.get((serial, account_id))
        if worth is None:
            yield f"voucher {serial} was credited to {account_id}, and its sheet doesn't say so"
        elif amounts != [worth]:
            yield f"voucher {serial} of {worth} was credited to {account_id} as {', '.join(map(str, amounts))}"
    for credit, worth in claims.used.items():
        serial, account_id = credit
        if credit not in whole.credited and (account_id, claims.keys[credit]) not in whole.pending:
            yield f"voucher {serial} of {worth} was used by {account_id}, and nothing was credited there"


def joined(books: Sequence[VoucherBooks]) -> VoucherBooks:
    """Put what several journals say together."""
    whole = VoucherBooks()
    for each in books:
        whole.used |= each.used
        whole.keys |= each.keys
        whole.pending |= each.pending
        for credit, amounts in each.credited.items():
            whole.credited.setdefault(credit, []).extend(amounts)
        for unit, sums in each.worth.items():
            known = whole.worth.setdefault(unit, {})
            for state, amount in sums.items():
                known[state] = known.get(state, 0) + amount
    return whole
