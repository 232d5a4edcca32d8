"""The kinds of subjects there are: the only list. A kind that is taken out of it can't be read any more."""

from business.billing.kind import BILL_RUNS
from business.subjects import Kinds, SubjectKind
from business.vouchers.kind import REGISTERS, VOUCHERS

_ALL: tuple[SubjectKind, ...] = (BILL_RUNS, REGISTERS, VOUCHERS)
KINDS: Kinds = {kind.name: kind for kind in _ALL}
