"""The audit of a subject: follows its journal entries, oldest first, and holds each against the one before.

As `charging.ledger.auditing` does for accounts, without knowing what the kind means: what happened is replayed, and
state and version must be those that the caller was told and that were written down.
"""

import msgspec

from business.subjects import SubjectKind, unborn, unpack_subject
from charging.base.subject import PackedSubject
from charging.errors import Fault
from charging.ledger.entry import Entry
from charging.ledger.outcome import Done, unpack_outcome

FINDINGS_MAX = 100


class SubjectAudit:
    """Follow the entries of one subject.

    `kind` None is one that this version doesn't know. When the first segments of the journal are gone, a subject is
    followed by its versions until `meet` brings a snapshot.
    """

    def __init__(self, subject_id: str, kind: SubjectKind | None, *, whole: bool) -> None:
        """`whole` says whether the journal is there from its first entry on."""
        self.subject_id = subject_id
        self.state: PackedSubject | None = unborn(subject_id) if whole else None
        self.entries = 0
        self.refusals = 0
        self.findings: list[str] = []
        self._kind = kind
        self._keys: set[str] = set()
        self._version = 0 if whole else -1
        """Newest that was seen; -1 = none."""
        if kind is None:
            self._find("this version knows no such kind of subject")

    def add(self, entry: Entry) -> None:
        """Check the next entry: its key, its version, what it says that happened, what the caller was told.

        Entries come oldest first. Nothing is raised: what is wrong is among `findings`.
        """
        self.entries += 1
        if entry.key in self._keys:
            self._find(f"key {entry.key} has two entries")
        self._keys.add(entry.key)
        if entry.events:
            self._find(f"entry {entry.key} has events of an account")
        try:
            told = unpack_outcome(entry.outcome)
        except (msgspec.MsgspecError, ValueError) as error:
            self._find(f"the outcome of entry {entry.key} can't be read: {error}")
            return
        if not self.entries - 1 and self._version < 0:
            self._version = entry.version - bool(entry.facts)
        if entry.version != self._version + bool(entry.facts):
            self._find(f"entry {entry.key} says version {entry.version} where {self._version} was before")
        self._version = entry.version
        if entry.facts != () and isinstance(told, Done):
            self._replay(entry, told)
        elif entry.facts or isinstance(told, Done):
            self._find(f"entry {entry.key} changed something and yet tells a refusal, or the other way round")
        else:
            self.refusals += 1

    def meet(self, snapshot: PackedSubject) -> bool:
        """Compare the state with a snapshot written at the newest entry, or go on from there; False = they differ."""
        if self.state is not None:
            return snapshot == self.state
        self.state = snapshot
        return self._version in (-1, snapshot.version)

    def _replay(self, entry: Entry, told: Done) -> None:
        if self._kind is None or self.state is None:
            return
        try:
            self.state = self._kind.replay(self.state, entry.facts)
            if unpack_subject(told.detail or b"") != self.state:
                self._find(f"entry {entry.key} tells another state than it leads to")
        except Fault as fault:
            self._find(f"entry {entry.key} can't be replayed: {fault.message}")
        except (msgspec.MsgspecError, ValueError) as error:
            self._find(f"the state that entry {entry.key} tells can't be read: {error}")

    def _find(self, sentence: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(sentence)
