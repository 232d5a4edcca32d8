"""The subjects of a country in memory, as its owners would have them, without a store."""

from msgspec.structs import replace

from business.kinds import KINDS
from business.subjects import pack_subject, unborn
from charging.base.subject import Instruction, PackedSubject, kind_of
from charging.errors import Conflict, NotFound, Refused
from charging.ledger.own import settle_voucher_command
from charging.wire import Done, Failed, failed
from domainservers.slot.redeeming import settlement, use_of
from testkit.ledger import Desk


class SubjectsInMemory:
    """Decides instructions by their kinds, each key once."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.states: dict[str, PackedSubject] = {}
        self._told: dict[tuple[str, str], tuple[bytes, Done | Failed]] = {}
        """By subject and key: what an instruction did."""

    def inspect(self, subject_id: str) -> PackedSubject:
        """Give a subject as it is. Raises `NotFound` SUBJECT_UNKNOWN."""
        if kind_of(subject_id) not in KINDS:
            raise NotFound("SUBJECT_UNKNOWN", f"{subject_id!r} names no subject of a kind that is known here")
        return self.states.get(subject_id, unborn(subject_id))

    def instruct(self, instruction: Instruction, revision: int) -> Done | Failed:
        """Decide an instruction, or tell its outcome again. Raises what is not kept."""
        subject_id, key = instruction.subject_id, instruction.key
        before = self.inspect(subject_id)
        known = self._told.get((subject_id, key))
        if known is not None:
            if known[0] != instruction.digest:
                raise Conflict("REQUEST_KEY_REUSED", "the request key was used before with other content")
            return replace(known[1], repeated=True)
        told: Done | Failed
        try:
            after = KINDS[kind_of(subject_id)].rule(before, instruction, self.now_ms).after
            self.states[subject_id] = after
            told = Done(subject_id, after.version, 0, (), (), pack_subject(after), revision)
        except Refused as refusal:
            told = failed(refusal)
        self._told[subject_id, key] = instruction.digest, told
        return told

    def redeem(self, desk: Desk, account_id: str, revision: int) -> None:
        """Carry the vouchers that an account asks for to their end, as its courier does."""
        self.now_ms = desk.now_ms
        while row := next((row for row in desk.accounts[account_id].open.outgoing if row.voucher is not None), None):
            account, voucher = desk.accounts[account_id], row.voucher
            assert voucher is not None
            answer = self.instruct(use_of(account, row, voucher).instruction, revision)
            command = settlement(account, row, voucher, answer, desk.now_ms)
            assert command is not None
            try:
                desk.commit(command)
            except Refused as refused:
                desk.commit(settle_voucher_command(account, row, desk.now_ms, None, None, refused.reason))
