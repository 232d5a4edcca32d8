"""Simulated callers: they charge, top up, transfer and run sessions, and repeat the same key until they know."""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from random import Random

from msgspec import Raw
from msgspec.structs import replace

from business.vouchers.codes import Place
from business.vouchers.terms import VoucherTerms
from charging import wire
from charging.base.account import Book
from charging.base.contract import Contract, Subscription
from charging.base.usage import SealedCharge, Usage
from charging.errors import Fault
from charging.ledger.action import PLATFORM
from charging.ledger.command import Command
from charging.ledger.commands.gift import Gift
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.join import Join
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.commands.post_usage import PostUsage
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.ledger.commands.top_up import TopUp
from charging.ledger.kinds import TAGS, Action, Revision
from charging.wire import Answer, BusinessData, Commit, Done, Failed, Pull, Stale
from testkit.examples import EXAMPLES, FRIENDS, lively, pack_terms
from tests.simulation.histories import Histories, Network, Seen, Told

OPENING = 1_000_000
"""Of an account that pays beforehand."""
CREDIT = 3_000_000
"""Of an account that pays by bills."""
CYCLE_DAYS = (1, 1, 14)
BASE_MS = 1_800_000_000_000
OFFERING = "plan"
"""What everybody holds, since `HELD_DAYS` ago."""
EARLY_DAYS = 46
"""Before everything else accounts are opened, and say who pays for them: two periods of each are over since."""
HELD_DAYS = EARLY_DAYS + 1
LATE_DAYS = 34
"""Of usage that comes late."""
DAY_MS = 86_400_000
SKEW_MS = 1_300_000
NO_STEPS = Raw(b"\x90")
BY_HAND = (PostCharge, OpenAccount, SendTransfer, Refund, StepSession, TopUp)
"""What callers do with numbers of their own."""
OTHERS = tuple(kind for kind in EXAMPLES if kind.traits.sender == PLATFORM and kind not in BY_HAND)
"""All other kinds of commands that callers have, by their examples."""
WANDERERS = ("msisdn:8613900000001", "msisdn:8613900000002")
"""Numbers that go from account to account."""
SHEET = Place("GD/0", 1, 0)
CODES = tuple(b"voucher number %d" % number for number in range(1, 6))
WORTH = VoucherTerms("money", 7_000, "CNY")
RETRIES = ("unavailable", "overloaded", "expired")


def sealed(amount: int) -> SealedCharge:
    return SealedCharge(amount, "CNY", (), (), 1, False, NO_STEPS)


class Caller:
    """Works on one account, one command at a time; several callers may share an account."""

    def __init__(
        self,
        name: str,
        identity: str,
        account_id: str,
        others: Mapping[str, str],
        network: Network,
        random: Random,
        histories: Histories,
    ) -> None:
        """`others` are the accounts of others, by identity."""
        self._name = name
        self._identity = identity
        self.account_id = account_id
        self._others = others
        self._network = network
        self._examples = lively()
        """Of this run alone: examples move on what they are made from."""
        self._random = random
        self._histories = histories
        self._version = 1
        self._serial = 0
        self._charges: list[str] = []
        self._domain = account_id.partition("/")[0]

    async def open(self) -> None:
        """Open the account."""
        since_ms = BASE_MS - HELD_DAYS * DAY_MS
        held = (Subscription(OFFERING, since_ms, 0),)
        contract = Contract(self._identity, self.account_id, self._domain, subscriptions=held, valid_from_ms=since_ms)
        mode, credit, opening = self._random.choice((("prepaid", 0, OPENING), ("postpaid", CREDIT, 0)))
        books = (Book("main", "money", opening),)
        cycle_day = self._random.choice(CYCLE_DAYS)
        action = OpenAccount(
            self.account_id, "c", mode, "CNY", credit, cycle_day, contract, books, {}, {}, (), carried=True
        )
        await self._do(f"open-{self.account_id}", action)

    async def pay_for(self, other: str, pays: str = "yes") -> None:
        """Pay the bills of another account, or no more."""
        await self._do(self._key("payee"), SetPayee(other, pays, "family"))

    async def be_paid_for(self, payer: str) -> None:
        """Let another account pay the bills from the next period on; "" = nobody does."""
        await self._do(self._key("payer"), SetPayer(payer, "family"))

    async def work(self, commands: int) -> None:
        """Do so many things, some after the other."""
        for _ in range(commands):
            await asyncio.sleep(self._random.uniform(0.0, 0.5))
            roll = self._random.random()
            if roll < 0.4:
                await self._charge()
            elif roll < 0.5:
                await self._pay()
            elif roll < 0.6:
                await self._do(
                    self._key("topup"), TopUp("main", "money", self._random.randrange(1, 5_000), 0, 0, "", "deposit")
                )
            elif roll < 0.72 and self._others:
                other = self._random.choice((*self._others, *WANDERERS))
                await self._do(
                    self._key("send"), SendTransfer("main", other, "main", self._random.randrange(1, 9_000), "gift")
                )
            elif roll < 0.80 and self._charges:
                await self._do(self._key("refund"), Refund(self._random.choice(self._charges), 0, "sorry"))
            elif roll < 0.90:
                await self._session()
            elif roll < 0.95:
                await self._other()
            elif roll < 0.97:
                await self._redeem()
            elif roll < 0.985:
                await self._wander()
            else:
                await self._give_offering()
            if roll > 0.7:
                await self._look()

    def _key(self, kind: str) -> str:
        self._serial += 1
        return f"{self._name}-{kind}-{self._serial}"

    async def _charge(self) -> None:
        amount = self._random.choice((1, 700, 2_500, 60_000, 400_000))
        key = self._key("charge")
        usage = Usage(self._identity, "voice", self._start_ms(), 60)
        answer = await self._do(key, PostCharge(usage, sealed(amount), self._version))
        if isinstance(answer, Done):
            self._charges.append(key)
            if self._random.random() < 0.1:
                await self._do(key, PostCharge(usage, sealed(amount), self._version))

    def _start_ms(self) -> int:
        """Give when a usage began: some come late, for a period that is over and perhaps billed."""
        late = self._random.randrange(1, LATE_DAYS) if self._random.random() < 0.5 else 0
        return BASE_MS - late * DAY_MS

    async def _pay(self) -> None:
        """Pay, and now and then take it back: afterwards, twice, or before it comes, so that it must not come."""
        key, roll = self._key("pay"), self._random.random()
        pay = Pay(self._random.randrange(1, 300_000), "", "", "", "cash", "")
        if roll < 0.4:
            before = await self._do(self._key("back"), ReversePayment(key, "unknown fate"))
            answer = await self._do(key, pay)
            if isinstance(before, Done) and isinstance(answer, Done):
                self._histories.stale.append(f"{key} was reversed before it came, and came all the same")
            return
        await self._do(key, pay)
        if roll < 0.7:
            first = await self._do(self._key("back"), ReversePayment(key, "charged back"))
            again = await self._do(self._key("back"), ReversePayment(key, "charged back"))
            if isinstance(first, Done) and isinstance(again, Done):
                self._histories.stale.append(f"{key} was taken back twice")

    async def _other(self) -> None:
        """Do what else there is; what would end the caller's work is taken back."""
        kind = self._random.choice(OTHERS)
        if kind is Gift:
            await self._gift()
            return
        if kind is GiveOffering:
            await self._give_offering()
            return
        if kind is RedeemVoucher:
            await self._redeem()
            return
        if kind is SetPayee:
            await self.pay_for(self._random.choice(list(self._others.values())), self._random.choice(("yes", "no")))
            return
        if kind is SetPayer:
            await self.be_paid_for(self._random.choice(("", *self._others.values())))
            return
        await self._do(self._key(TAGS[kind]), EXAMPLES[kind](self._examples))  # type: ignore[arg-type]
        if kind is SetStatus:
            await self._do(self._key("resume"), SetStatus("active", ""))

    async def _gift(self) -> None:
        """Give to somebody of this world, without a fee, so that transfers add up to nothing."""
        if self._others:
            terms = replace(FRIENDS, fee=0, from_identity=self._identity)
            amount = self._random.randrange(1, terms.most)
            await self._do(
                self._key("gift"), Gift(self._random.choice(list(self._others)), "friends", amount, "main", terms)
            )

    async def _give_offering(self) -> None:
        """Buy a pack for somebody of this world, whose contract may be another one by the time it arrives."""
        other = self._random.choice((*self._others, *WANDERERS))
        found = await self._until_known(Pull(other), other)
        if not isinstance(found, BusinessData):
            return
        price, fee, begins_ms = self._random.randrange(9_000), self._random.randrange(9), self._ahead_ms()
        added = Subscription("pack", begins_ms, begins_ms + DAY_MS)
        terms = pack_terms(found.account, found.contract, added, sealed(price), fee, self._identity)
        await self._do(self._key("give"), GiveOffering(other, "pack", {}, 1, "main", terms))

    def _ahead_ms(self) -> int:
        """Give a moment ahead of every machine's clock that is not days wrong."""
        return BASE_MS + int(asyncio.get_running_loop().time() * 1_000) + SKEW_MS

    async def _wander(self) -> None:
        """Take a number in that other accounts have at other times, or let it go."""
        number = self._random.choice(WANDERERS)
        found = await self._until_known(Pull(number), number)
        if isinstance(found, BusinessData) and found.account.account_id == self.account_id:
            await self._do(self._key("leave"), Leave("wanders", 0, "", found.contract), number)
            return
        await self._do(self._key("join"), Join(number, "", "now", self._ahead_ms(), {}, "", 0))

    async def _redeem(self) -> None:
        """Use one of a few vouchers that all know, now and then with a wrong code."""
        code = self._random.choice((*CODES, b"a guess of a code"[:16]))
        await self._do(self._key("redeem"), RedeemVoucher("", CodeRead(SHEET.subject_id, (code,))))

    async def _session(self) -> None:
        """Create, use and perhaps release; a session left open expires by itself."""
        session_id = self._key("session")
        price = self._random.randrange(1, 50)
        used = 0
        last = self._random.randrange(1, 4)
        for invocation in range(last + 1):
            operation = "create" if invocation == 0 else ("release" if invocation == last else "update")
            if operation == "release" and self._random.random() < 0.3:
                return
            grant = 0 if operation == "release" else 100
            usage = Usage(self._identity, "data", BASE_MS, used)
            reservation = sealed((used + grant) * price) if grant else None
            unit = SessionUnit(usage, sealed(used * price), grant, reservation, False, "terminate", 0)
            action = StepSession(
                session_id, operation, invocation, self._identity, (unit,), BASE_MS + 1_030_000, self._version
            )
            key = f"{session_id}-{invocation}"
            answer = await self._do(key, action)
            if not isinstance(answer, Done):
                return
            if answer.amount:
                self._charges.append(key)
            used += self._random.randrange(0, 100)
            await asyncio.sleep(self._random.uniform(0.0, 0.3))

    async def _look(self) -> None:
        histories = self._histories
        floor = histories.newest.get(self.account_id, 0)
        answer = await self._until_known(Pull(self._identity))
        if isinstance(answer, BusinessData):
            if answer.account.version < floor:
                histories.stale.append(f"{self.account_id}: saw version {answer.account.version} after {floor}")
            self._note(answer)

    def _note(self, data: BusinessData) -> None:
        account = data.account
        self._version = max(self._version, account.version)
        balance = sum(book.amount for book in account.books)
        self._histories.seen.append(Seen(account.account_id, account.version, balance))

    async def _do(self, key: str, action: Action, identity: str = "") -> Answer:
        """Commit for a member, again and again under the same key, until the outcome is certain."""
        histories = self._histories
        histories.open += 1
        while True:
            histories.sent[self.account_id, key] = action
            digest = blake2b(key.encode(), digest_size=16).digest()
            command = Command(self.account_id, key, digest, self._name, "front", BASE_MS, action)
            answer = await self._until_known(Commit(identity or self._identity, command))
            if isinstance(answer, Stale):
                self._note(answer.data)
                anew = _anew(action, answer.data)
                if anew is not None:
                    action = anew
                    continue
                histories.open -= 1
                return answer
            histories.open -= 1
            if isinstance(answer, Done | Failed):
                histories.told.append(Told(self.account_id, key, action, answer))
            if isinstance(answer, Done):
                self._version = max(self._version, answer.version)
                histories.newest[self.account_id] = max(histories.newest.get(self.account_id, 0), answer.version)
            return answer

    async def _until_known(self, ask: wire.Ask, identity: str = "") -> Answer:
        """Ask where an identity is served, the caller's own unless one is named, wherever it is by then."""
        homes = self._histories.homes
        while True:
            try:
                answer = await self._network.send(homes.get(identity) or homes[self._identity], ask)
            except Fault:
                answer = None
            if answer is None or (isinstance(answer, Failed) and answer.kind in RETRIES):
                await asyncio.sleep(self._random.uniform(0.05, 0.6))
                continue
            return answer


def _anew(action: Action, data: BusinessData) -> Action | None:
    """Decide an action anew on a newer state; None = it is given up, since only the platform could."""
    version, mark = data.account.version, data.account.mark
    if isinstance(action, PostCharge | StepSession):
        return _rebased(action, version)
    if isinstance(action, PostUsage):
        if (action.base_version, action.base_mark) == (version, mark):
            return None  # Of this very state a use was refused: the platform would rate it so.
        return replace(action, base_version=version, base_mark=mark)
    if isinstance(action, PostFees):
        return replace(action, dues=replace(action.dues, base_version=version, base_mark=mark))
    if isinstance(action, Revision):
        return replace(action, before=data.contract)
    return None


def _rebased(action: PostCharge | StepSession, version: int) -> PostCharge | StepSession:
    """Rated again on a newer version."""
    if isinstance(action, PostCharge):
        return PostCharge(action.usage, action.charge, version)
    return StepSession(
        action.session_id,
        action.operation,
        action.invocation,
        action.identity,
        action.units,
        action.valid_until_ms,
        version,
    )
