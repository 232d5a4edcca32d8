"""What an account will be once the owner has done all that was sent, and whether its answers agree.

The platform decides with the owner's own function (`ledger.decide`), so as long as nobody else writes the account both
come to the same state. Each answer is compared; the first that differs makes the prediction worthless.
"""

from charging.base.account import Account
from charging.base.contract import Contract
from charging.errors import Fault
from charging.ledger.command import Command
from charging.ledger.effect import VersionMoved
from charging.ledger.ledger import decide, follow
from charging.wire import BusinessData, Done

PREDICTED_REFUSAL = Done("", -1, 0, ())
"""Expected of a command that the owner will refuse."""
NOWHERE = -1


class Prediction:
    """One account's state as predicted. Commits are told apart by their place in the outgoing batch."""

    __slots__ = ("_expected", "_last", "_last_done", "_last_place", "confirmed", "contracts", "state")

    def __init__(self) -> None:
        self.contracts: dict[str, Contract] = {}
        """By identity; valid at version `confirmed`."""
        self.state: Account | None = None
        """After all that was sent, except the newest command: that one is applied when somebody needs it."""
        self.confirmed = 0
        """Version at which the owner agreed with us last: contracts and terms are those of this version."""
        self._last: Command | None = None
        """Sent, and not applied yet."""
        self._last_place = NOWHERE
        """Of `_last`, until its outcome is known."""
        self._last_done: Done | None = None
        """Its outcome, where that came before anybody needed the state after it."""
        self._expected: dict[int, Done] | None = None
        """Outcomes by place, of commits on top of which others were rated. Most accounts never have any."""

    def current(self, now_ms: int) -> Account | None:
        """Give the predicted state after everything that was sent; None when it can't be said.

        `now_ms` (UTC) decides what has expired, as the owner's clock will a moment later.
        """
        command = self._last
        if command is None:
            return self.state
        place, done = self._last_place, self._last_done
        self._last, self._last_place, self._last_done = None, NOWHERE, None
        if done is not None and self.state is not None:
            # The outcome is known: for a plain charge the state follows from it without deciding once more.
            after = follow(self.state, command, done)
            if after is not None:
                self.state = after
                return after
        try:
            decision = decide(self.state, command, now_ms)
        except (Fault, VersionMoved):
            expected = PREDICTED_REFUSAL
        else:
            expected = decision.done
            self.state = decision.account
        if done is not None:
            if done.version != expected.version or done.movements != expected.movements:
                self.forget()
        elif place != NOWHERE:
            if self._expected is None:
                self._expected = {}
            self._expected[place] = expected
        return self.state

    def sent(self, place: int, command: Command) -> None:
        """Note the newest command. The one before was applied by `current`, on whose state this one was rated."""
        self._last, self._last_place, self._last_done = command, place, None

    def agrees(self, place: int, done: Done) -> bool:
        """Take the outcome of a commit; False = it is not what was predicted, or a repeat's."""
        if place == self._last_place:
            # Nothing was rated on top of it: it may be applied later, if ever.
            self._last_place = NOWHERE
            if done.repeated:
                self._last = None
                return True
            if self.state is None or done.version != self.state.version + 1:
                return False
            self._last_done = done
        else:
            expected = self._expected.get(place) if self._expected is not None else None
            if (
                expected is None
                or done.repeated
                or done.version != expected.version
                or done.movements != expected.movements
            ):
                return False
        self.confirmed = done.version
        return True

    def agrees_refused(self, place: int) -> bool:
        """Take a refusal as the outcome of a commit; False = something else was predicted."""
        if place == self._last_place:
            self._last, self._last_place = None, NOWHERE
            return True
        return self._expected is not None and self._expected.get(place) is PREDICTED_REFUSAL

    def settled(self) -> None:
        """All answers are there, so no place means anything any more."""
        self._expected = None

    def renew(self, data: BusinessData, *, under_way: bool) -> None:
        """Take business data from the owner. While commits are under way only the contract is of use, if it fits.

        Contracts of other members are forgotten when the data don't show that they are still those.
        """
        account, contract = data.account, data.contract
        if under_way:
            if contract.version <= self.confirmed <= account.version:
                self.contracts[contract.identity] = contract
            return
        if not self.confirmed or not account.terms_version <= self.confirmed <= account.version:
            self.contracts = {}
        self.contracts[contract.identity] = contract
        self.state = account
        self.confirmed = account.version
        self._last, self._last_place, self._last_done = None, NOWHERE, None

    def forget(self) -> None:
        """The state is unknown; the next request pulls it."""
        self.state = None
        self.contracts = {}
        self.confirmed = 0
        self._last, self._last_place, self._last_done = None, NOWHERE, None
