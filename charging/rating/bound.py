"""Money that is bound to a scope: which books of it pay a charge, and which books let nobody else pay.

A book of money that names an allowance of the catalogue pays what is in that allowance's scope alone. What holds when
the usage begins counts, or the piece of a session (`charging.rating.pieces`). Books are looked at in the order of
`charging.base.consumption`, those without a scope too, for what goes before a bound book in that order pays before it.
Named are the takes from bound books; the owner draws the rest from the others by itself.

Where a book's scope blocks, the books that block pay alone. What they lack is named all the same: the owner finds that
the book has too little, and refuses BUDGET_SPENT, whatever other money there is. Quota of a session is granted as far
as they reach; use beyond it has happened, and other money pays for it (`of_use`).
"""

from collections.abc import Sequence

from msgspec.structs import replace

from charging.base.account import MONEY, Account, Book
from charging.base.contract import Contract
from charging.base.usage import Charge, Step, Usage
from charging.plans.compiled import CompiledAllowance
from charging.plans.plan import Plan

MICRO_UNIT = "micro-unit"
Takes = list[tuple[str, int]]


def has_bound(account: Account) -> bool:
    """Say whether any book of the account has a scope: the quick question before the long one."""
    for book in account.books:  # noqa: SIM110 - a generator costs more than the test
        if book.allowance:
            return True
    return False


def pay(
    plan: Plan,
    usage: Usage,
    contract: Contract,
    account: Account,
    amount: int,
    charged: int,
    takes: Takes,
    steps: list[Step],
) -> bool:
    """Name the bound books that pay an amount, micro-units, in `takes` and `steps`; say whether any was looked at.

    `charged` is how much of the usage no free units covered, base units. Then the outcome holds for this state alone.
    """
    fitting: dict[str, CompiledAllowance] = {}
    blocking: list[Book] = []
    units = (MONEY, plan.services[usage.service].unit)
    for book in account.books:
        scope = plan.allowances.get(book.allowance) if book.allowance and book.valid_at(usage.start_ms) else None
        if scope is None or book.unit not in units or not (scope.blocks or book.unit == MONEY):
            continue
        for test in scope.tests:
            if not test(usage, contract, account):
                break
        else:
            fitting[book.book_id] = scope
            if scope.blocks:
                blocking.append(book)
    if not fitting:
        return False
    # What free units covered wholly is no use that a book of units could block.
    if blocking and (charged or any(book.unit == MONEY for book in blocking)):
        _pay_alone(blocking, fitting, amount, charged, takes, steps)
    else:
        _pay_in_turn(account.books, fitting, amount, usage.start_ms, takes, steps)
    return True


def of_use(view: Account, charge: Charge) -> Charge:
    """Give the charge for use that has happened: a budget that blocks pays what it has, other money what it lacks.

    `view` is the account as the charge was rated on it.
    """
    if not charge.takes:
        return charge
    left = {book.book_id: max(0, book.amount - book.reserved) for book in view.books if book.allowance}
    takes: Takes = []
    for book_id, quantity in charge.takes:
        share = min(quantity, left.get(book_id, quantity))
        if book_id in left:
            left[book_id] -= share
        if share:
            takes.append((book_id, share))
    if tuple(takes) == charge.takes:
        return charge
    paid = dict(takes)
    steps = tuple(
        replace(step, quantity=paid.get(step.rule, 0)) if step.kind == "book" and step.unit == MICRO_UNIT else step
        for step in charge.steps
    )
    return replace(charge, takes=tuple(takes), steps=steps)


def _pay_alone(
    blocking: Sequence[Book],
    fitting: dict[str, CompiledAllowance],
    amount: int,
    charged: int,
    takes: Takes,
    steps: list[Step],
) -> None:
    """Let the books that block pay all of it; what is missing is asked of the last of them."""
    payers = [book for book in blocking if book.unit == MONEY]
    if not payers:
        # Units block: the book is asked for those that it did not cover.
        last = blocking[-1]
        taken = sum([quantity for book_id, quantity in takes if book_id == last.book_id])
        takes.append((last.book_id, max(0, last.amount - last.reserved - taken) + charged))
        return
    missing = amount
    for book in payers:
        left = max(0, book.amount - book.reserved)
        share = missing if book is payers[-1] else min(left, missing)
        if share:
            missing -= share
            _take(book, fitting[book.book_id], share, takes, steps)


def _pay_in_turn(
    books: Sequence[Book],
    fitting: dict[str, CompiledAllowance],
    amount: int,
    time_ms: int,
    takes: Takes,
    steps: list[Step],
) -> None:
    missing = amount
    for book in books:
        scope = fitting.get(book.book_id)
        if not missing:
            return
        if book.unit != MONEY or (scope is None and book.allowance) or not book.valid_at(time_ms):
            continue
        share = min(max(0, book.amount - book.reserved), missing)
        missing -= share
        if scope is not None and share:
            _take(book, scope, share, takes, steps)


def _take(book: Book, scope: CompiledAllowance, share: int, takes: Takes, steps: list[Step]) -> None:
    takes.append((book.book_id, share))
    detail = scope.label + scope.changed
    steps.append(Step("book", book.book_id, scope.origin, share, MICRO_UNIT, 0, 1, detail))
