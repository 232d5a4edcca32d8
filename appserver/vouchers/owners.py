"""What is asked of the owners of slots for one call about vouchers, within what the caller may."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct
from onetier.v1 import vouchers_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.regions import check_domain
from appserver.billing.telling import expect
from appserver.vouchers.reading import BatchName, instruction_of, register_in, sheet_in, told_of, unknown
from business.vouchers.batches import Batch, Register
from business.vouchers.codes import Place
from business.vouchers.kind import register_of
from business.vouchers.sheets import Sheet
from charging.base.subject import Instruction, PackedSubject, slot_of
from charging.errors import Fault, Invalid, Unavailable
from charging.ledger.permission import Permission, Policy, amount_denied, names_another
from charging.wire import Answer, Done, Failed, FetchReference, Inspect, Instruct, Reference
from charging.wire import fault as fault_of

Ask = Callable[[Sequence[Question]], Awaitable[list[Answer]]]
AWAY = ("unavailable", "overloaded", "expired")
RETRY_MS = 200
SHEETS_AT_ONCE = 200
"""Asked in one batch."""


class SheetOwners:
    """The owners of one domain's slots, for one caller."""

    def __init__(self, ask: Ask, caller: pb.VoucherCaller, principal: str, now_ms: int) -> None:
        self._ask = ask
        self._caller = caller
        self.principal = principal
        self.now_ms = now_ms

    async def reference(self, domain: str) -> Reference:
        """Ask for the region's reference data. Raises `NotFound` DOMAIN_UNKNOWN."""
        check_domain(domain)
        (answer,) = await self._ask([Question(f"domain:{domain}", FetchReference(domain))])
        return expect(Reference, answer)

    def permit(self, name: str, reference: Reference, stake: int = 0) -> Permission:
        """Raises what `Policy.permit` raises; `Denied` AMOUNT_NOT_GRANTED for more than is granted."""
        another = names_another(self.principal, self._caller.actor)
        policy = Policy(reference.grants)
        permission = policy.permit(self.principal, name, self._caller.channel, "", reference.domain, another)
        if not permission.allows(stake):
            raise amount_denied(self.principal, name, permission.amount_max)
        return permission

    async def register(self, slot: str) -> Register:
        """Read the register of a slot."""
        subject_id = register_of(slot)
        (answer,) = await self._ask([Question(_route(subject_id), Inspect(subject_id))])
        return register_in(expect(PackedSubject, answer))

    async def batch(self, name: BatchName) -> Batch:
        """Find a batch. Raises `NotFound` BATCH_UNKNOWN."""
        batch = (await self.register(name.slot)).of_number(name.number)
        if batch is None:
            raise unknown()
        return batch

    async def sheets(self, places: Sequence[Place]) -> list[Sheet]:
        """Read sheets, in order."""
        asks = [Question(_route(place.subject_id), Inspect(place.subject_id)) for place in places]
        answers = await self._ask(asks)
        return [sheet_in(expect(PackedSubject, answer)) for answer in answers]

    async def instruct(self, subject_id: str, action: Struct, content: object) -> PackedSubject:
        """Do one thing to one subject, and give it as it is then."""
        instruction = self._instruction(subject_id, action, content)
        (answer,) = await self._ask([Question(_route(subject_id), Instruct(instruction))])
        return told_of(expect(Done, answer))

    async def instruct_all(self, actions: Mapping[Place, tuple[Struct, object]]) -> list[Sheet]:
        """Do something to each of many sheets, and give them as they are then.

        Raises `Unavailable` BATCH_INCOMPLETE when some could not be reached: the others are done; the first fault
        otherwise.
        """
        told: list[Sheet] = []
        away = 0
        places = list(actions)
        for start in range(0, len(places), SHEETS_AT_ONCE):
            part = [
                self._instruction(place.subject_id, *actions[place]) for place in places[start : start + SHEETS_AT_ONCE]
            ]
            for answer in await self._ask([Question(_route(each.subject_id), Instruct(each)) for each in part]):
                fault = _fault(answer)
                if isinstance(fault, Fault) and fault.kind not in AWAY:
                    raise fault
                if fault is not None:
                    away += 1
                else:
                    told.append(sheet_in(told_of(expect(Done, answer))))
        if away:
            facts = {"done": str(len(told)), "sheets": str(len(actions))}
            text = f"{away} of {len(actions)} sheets could not be reached: repeat the same request key"
            raise Unavailable("BATCH_INCOMPLETE", text, facts=facts, retry_ms=RETRY_MS)
        return told

    def _instruction(self, subject_id: str, action: Struct, content: object) -> Instruction:
        return instruction_of(subject_id, self._caller, action, content, self.principal, self.now_ms)


def check_slot(slot: int, reference: Reference) -> str:
    """Give the name of a slot. Raises `Invalid` SLOT_UNKNOWN."""
    if slot >= reference.slots:
        wanted = f"a slot of {reference.domain} is 0 to {reference.slots - 1}"
        raise Invalid("SLOT_UNKNOWN", wanted, fields={"slot": wanted})
    return f"{reference.domain}/{slot}"


def _route(subject_id: str) -> str:
    return f"domain:{slot_of(subject_id)}"


def _fault(answer: Answer) -> Fault | None:
    return fault_of(answer) if isinstance(answer, Failed) else None
