"""The register of reasons: every word with which anything here says no, once, with what it means and what helps.

A reason that is not in it can't be raised (`charging.errors.Fault`), and one that nothing raises is removed: a test
reads the tree for both. `docs/reasons.md`, the table of kinds in `docs/operation.md` and the lists in the contracts are
written from it by `make reasons`.
"""

from collections.abc import Mapping

from charging.reasons.accounts import ACCOUNTS, APPROVALS, PORTS
from charging.reasons.bills import BILLS
from charging.reasons.books import BOOKS, FEEDS, REFUNDS
from charging.reasons.console import FILES
from charging.reasons.directory import DIRECTORY
from charging.reasons.documents import DOCUMENTS
from charging.reasons.house import AWAY, LOAD, MESSAGES
from charging.reasons.mediation import MEDIATION
from charging.reasons.permissions import PERMISSIONS
from charging.reasons.prices import CATALOGUES, PRICES
from charging.reasons.reason import Reason, Section
from charging.reasons.receivables import RECEIVABLES
from charging.reasons.requests import ACCESS, ENVELOPE
from charging.reasons.sessions import SESSIONS
from charging.reasons.spending import BATCHES, SPENDING, VOUCHERS
from charging.reasons.subjects import BILL_RUNS, SUBJECTS
from charging.reasons.watching import WATCHING

SECTIONS: tuple[Section, ...] = (
    ENVELOPE, ACCESS, PERMISSIONS, ACCOUNTS, BOOKS, REFUNDS, FEEDS, SPENDING, VOUCHERS, BATCHES, RECEIVABLES,
    SESSIONS, PRICES, APPROVALS, LOAD, AWAY, MESSAGES, CATALOGUES, DIRECTORY, PORTS, SUBJECTS, BILL_RUNS, BILLS,
    DOCUMENTS, WATCHING, MEDIATION, FILES,
)  # fmt: skip
REASONS: Mapping[str, Reason] = {reason.name: reason for section in SECTIONS for reason in section.reasons}
"""By name."""

__all__ = ["REASONS", "SECTIONS", "Reason", "Section"]
