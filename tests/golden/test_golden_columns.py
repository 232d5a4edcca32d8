"""The golden cases of rating, driven by columns: the same charge with the same steps, or the account is left."""

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from charging.rating.rating import Unrated, rate_sum
from mediation.columns.chunk import BOOKS, MAGNITUDE, USES, AccountState
from mediation.columns.free import PART
from mediation.columns.planner import DISCOUNT, NO_PRICE, TIERS, WATCHED
from mediation.columns.rater import ColumnRater
from mediation.columns.running import TWICE
from mediation.columns.worth import CAP_STEP, TIERS_BEGUN, TIERS_CUT
from tests.golden.test_golden import ME, account_of, cases, contract_of, timeline, usage_of

LEFT = {BOOKS, MAGNITUDE, PART, DISCOUNT, NO_PRICE, TIERS, WATCHED, TWICE, CAP_STEP, TIERS_BEGUN, TIERS_CUT}
"""Why a case is not for columns; anything else would be one that nobody thought of."""
CASES = [param for param in cases() if "use" in param.values[1]]


@pytest.mark.parametrize(("document", "case"), CASES)
def test_a_golden_case_is_rated_by_columns_as_by_records(document: dict, case: dict) -> None:
    line, local = timeline(document, case)
    contract, account = contract_of(case, local), account_of(case, local)
    usage = usage_of(case["use"], local)
    at, attributes = usage.start_ms, usage.attributes
    try:
        plan = line.plan_at(at)
        expected = rate_sum(plan, usage, contract, account)
        currency = plan.currency
    except Unrated:
        expected, currency = None, account.terms.currency
    terms = replace(account.terms, zone=local.zone, currency=currency)
    state = AccountState(replace(account, terms=terms), {ME: contract})
    told = msgspec.json.encode(attributes).decode() if attributes else ""
    row = ("acc", ME, usage.service, at, usage.quantity, usage.other_party, usage.visited, told)
    found = ColumnRater(line.plan_at).rate(pl.DataFrame([row], schema=USES, orient="row"), {"acc": state}, traced=True)
    if expected is None:
        assert found.left
    elif not found.left:
        assert found.charge(0) == expected
    else:
        assert set(found.left.values()) <= LEFT
