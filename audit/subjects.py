"""Follows the subjects of one journal besides accounts: each through its entries, each snapshot against its state."""

from collections.abc import Mapping

import msgspec

from business.auditing import SubjectAudit
from business.kinds import KINDS
from business.subjects import Kinds, unpack_subject
from charging.base.subject import PackedSubject, kind_of
from charging.ledger.entry import Entry
from storage.unit import Stored


def of_subject(entry: Entry) -> bool:
    """Say whether an entry is a subject's; most are charges, which have events."""
    return bool(entry.facts) or (not entry.events and kind_of(entry.account_id) != "")


class SubjectFollower:
    """Subjects by id. What it finds are sentences for people."""

    def __init__(self, first_seq: int, kinds: Kinds = KINDS) -> None:
        """`first_seq` is the first group of the journal that is still there; 0 = it is whole."""
        self.audits: dict[str, SubjectAudit] = {}
        self.findings: list[str] = []
        self.compared = 0
        """Snapshots that were held against a state."""
        self._first_seq = first_seq
        self._kinds = kinds
        self._met: set[str] = set()

    def take(self, seq: int, entries: list[Entry], snapshots: Mapping[str, Stored]) -> None:
        """Follow the subjects' entries of one group, then compare the snapshots that were written at it."""
        touched: dict[str, SubjectAudit] = {}
        for entry in entries:
            audit = self.audits.get(entry.account_id) or self._begin(entry.account_id, snapshots)
            audit.add(entry)
            touched[entry.account_id] = audit
        for subject_id, audit in touched.items():
            stored = snapshots.get(subject_id)
            if stored is not None and stored.timestamp == seq:
                self._meet(audit, stored)

    def finish(self, snapshots: Mapping[str, Stored]) -> None:
        """Look at snapshots that the journal led to nowhere, and gather what was found."""
        for subject_id, stored in snapshots.items():
            if not kind_of(subject_id) or subject_id in self._met:
                continue
            if stored.timestamp >= self._first_seq:
                where = f"group {stored.timestamp}, in which the journal has no entry of it"
                self.findings.append(f"{subject_id}: its snapshot is said to be of {where}")
            elif subject_id not in self.audits:
                self._begin(subject_id, snapshots)
        for audit in self.audits.values():
            if audit.state is None:
                audit.findings.append("neither its beginning nor a snapshot shows what it was")
            self.findings += [f"{audit.subject_id}: {finding}" for finding in audit.findings]

    def _begin(self, subject_id: str, snapshots: Mapping[str, Stored]) -> SubjectAudit:
        audit = SubjectAudit(subject_id, self._kinds.get(kind_of(subject_id)), whole=not self._first_seq)
        self.audits[subject_id] = audit
        stored = snapshots.get(subject_id)
        if self._first_seq and stored is not None and stored.timestamp < self._first_seq:
            self._meet(audit, stored)
        return audit

    def _meet(self, audit: SubjectAudit, stored: Stored) -> None:
        self._met.add(audit.subject_id)
        self.compared += 1
        subject = self._unpack(audit.subject_id, stored)
        if subject is not None and not audit.meet(subject):
            self.findings.append(f"{audit.subject_id}: its snapshot is not what the journal says")

    def _unpack(self, subject_id: str, stored: Stored) -> PackedSubject | None:
        try:
            return unpack_subject(stored.value)
        except msgspec.MsgspecError as error:
            self.findings.append(f"{subject_id}: its snapshot can't be read: {error}")
            return None
