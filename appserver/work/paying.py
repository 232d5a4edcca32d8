"""Who pays for whom, looked at on both accounts: each owner knows its own one alone, and a wrong payer would come back
with the first bill.

What owners refuse by themselves is theirs; what a payer refuses of a bill later, being closed by then, is as ever
(`charging.ledger.passing`).
"""

from charging.base.account import Account
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.passing import is_paid_for
from charging.ledger.standing import require_open


def paid_on(order: SetPayer | SetPayee, account: Account, other: Account) -> SetPayer | SetPayee:
    """Give the order as it is. Refused ACCOUNT_CLOSED, CURRENCY_MISMATCH, HAS_A_PAYER, when the other one can't pay."""
    if other.account_id == account.account_id or (isinstance(order, SetPayer) and account.open.payees):
        return order  # Its owner says what is wrong with it.
    if other.terms.currency != account.terms.currency:
        raise funds.other_currency("other account", other.terms.currency, account)
    if isinstance(order, SetPayer):
        require_open(other)
        if is_paid_for(other):
            text = f"another account pays a bill of {other.account_id} that is not made yet: bills would go in circles"
            raise Refused("HAS_A_PAYER", text)
    return order
