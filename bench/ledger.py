"""What deciding costs: a charge decided and replayed, a session step planned and decided, an account packed.

    python bench/ledger.py [repeats]

One process, one core; every line is the best of five runs.
"""

import sys
import timeit
from collections.abc import Callable

from msgspec import Raw

from charging.base.account import MONEY, Book, Threshold
from charging.ledger import ledger
from charging.ledger.command import Command
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.decision import Decision
from charging.ledger.entry import Entry
from charging.rating.session_asks import UnitAsk
from charging.wire import pack
from testkit.ledger import START_MS, Desk, charge_of, post

ID = "msisdn:8613000000001"
PLENTY = 10**15


def busy_desk() -> Desk:
    """Give a usual account: main book, a gift, a pack, three accumulators in two periods."""
    desk = Desk()
    desk.open(ID, PLENTY // 10, books=(Book("gift", MONEY, PLENTY // 10, priority=1), Book("pack", "byte", 1 << 40)))
    for period in ("2026-12", "2027-01"):
        accruals = tuple((f"{name}@{period}", 60) for name in ("voice", "data", "spend"))
        desk.do(ID, post(desk.accounts[ID], charge_of(600_000, accruals=accruals)))
    return desk


def best_us(call: Callable[[], object], repeats: int) -> float:
    """Time a call: microseconds each, the best of five runs."""
    return min(timeit.repeat(call, number=repeats, repeat=5)) / repeats * 1e6


def entry_of(command: Command, decision: Decision) -> Entry:
    """Give the journal entry of a decision."""
    outcome = Raw(pack(decision.done))
    version = decision.account.version
    return Entry(ID, command.key, command.digest, version, 0, START_MS, "c", ID, "", "front", decision.events, outcome)


def charges(desk: Desk, repeats: int) -> None:
    """Time a charge on the account as it is."""
    account = desk.accounts[ID]
    charge = charge_of(600_000, accruals=(("voice@2027-01", 60), ("spend@2027-01", 60)), depends=True)
    command = desk.command(ID, post(account, charge))
    decision = ledger.decide(account, command, START_MS)
    entry = entry_of(command, decision)
    deciding = best_us(lambda: ledger.decide(account, command, START_MS), repeats)
    replaying = best_us(lambda: ledger.replay(account, entry), repeats)
    print(f"  decide a charge    {deciding:8.1f} µs")
    print(f"  replay a charge    {replaying:8.1f} µs")
    print(f"  both               {deciding + replaying:8.1f} µs   (bound: 10 µs)")
    print(f"  account packed     {len(pack(account)):8d} bytes")
    print(f"  entry packed       {len(pack(entry)):8d} bytes")


def sessions(desk: Desk, repeats: int) -> None:
    """Time one update of a session, planned and decided."""
    desk.do(ID, desk.plan(ID, "s", "create", 0, UnitAsk("voice", 60, 0, START_MS)))
    account = desk.accounts[ID]
    ask = UnitAsk("voice", 60, 60, START_MS)
    command = desk.command(ID, desk.plan(ID, "s", "update", 1, ask))
    planning = best_us(lambda: desk.plan(ID, "s", "update", 1, ask), repeats)
    deciding = best_us(lambda: ledger.decide(account, command, START_MS), repeats)
    print(f"  plan an update     {planning:8.1f} µs")
    print(f"  decide an update   {deciding:8.1f} µs")
    print(f"  account packed     {len(pack(account)):8d} bytes, one session open")


def main() -> None:
    """Run all."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    desk = busy_desk()
    print("usual account")
    charges(desk, repeats)
    print("with two marks to watch")
    for name, watches in (("low", "balance"), ("heavy", "data")):
        desk.do(ID, SetThreshold(Threshold(name, watches, 1_000), False))
    charges(desk, repeats)
    print("sessions")
    sessions(desk, max(1, repeats // 10))


if __name__ == "__main__":
    main()
