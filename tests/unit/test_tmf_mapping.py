"""The mapping to TM Forum's open APIs: every field of ours is in the contract, every attribute of theirs in their APIs.

Attributes are data of this test, as the published Swagger files of version 4 name them.
"""

import re
from pathlib import Path

import pytest
from onetier.v1 import billing_pb2, service_desk_pb2

PAGE = Path(__file__).parents[2] / "docs" / "tmf.md"
ROW = re.compile(r"^\| `(\w+)\.(\w+)` \| (.+?) \|", re.M)
THEIRS = {
    "CustomerBill": "appliedPayment amountDue billDate billDocument billNo billingAccount billingPeriod category "
    "financialAccount href id lastUpdate nextBillDate paymentDueDate paymentMethod relatedParty remainingAmount "
    "runType state taxExcludedAmount taxIncludedAmount taxItem",
    "TaxItem": "taxAmount taxCategory taxRate",
    "AppliedCustomerBillingRate": "appliedTax bill billingAccount characteristic date description href id isBilled "
    "name periodCoverage product taxExcludedAmount taxIncludedAmount type",
    "CustomerBillOnDemand": "billingAccount customerBill description href id lastUpdate name relatedParty state",
    "Payment": "account amount authorizationCode channel correlatorId description href id name payer paymentDate "
    "paymentItem paymentMethod status statusDate taxAmount totalAmount",
    "PaymentItem": "amount id item taxAmount totalAmount",
    "Refund": "account amount authorizationCode channel correlatorId description href id name payment paymentMethod "
    "refundDate requestor status statusDate taxAmount totalAmount",
    "BillingAccount": "accountBalance accountRelationship accountType billStructure contact creditLimit "
    "defaultPaymentMethod description financialAccount href id lastModified name paymentPlan paymentStatus "
    "relatedParty state taxExemption",
}
KNOWN = {name: frozenset(attributes.split()) for name, attributes in THEIRS.items()}


def rows() -> list[tuple[str, str, list[tuple[str, str]]]]:
    found = []
    for message, field, theirs in ROW.findall(PAGE.read_text("utf-8")):
        pairs = [(resource, attribute) for resource, attribute in re.findall(r"`(\w+)\.(\w+)`", theirs)]
        found.append((message, field, pairs))
    return found


@pytest.mark.parametrize(("message", "field", "theirs"), rows(), ids=lambda each: str(each)[:40])
def test_each_row_names_what_there_is(message: str, field: str, theirs: list[tuple[str, str]]) -> None:
    places = [module.DESCRIPTOR.message_types_by_name for module in (billing_pb2, service_desk_pb2)]
    known = next((place[message] for place in places if message in place), None)
    assert known is not None, f"no message {message}"
    assert field in known.fields_by_name, f"{message} has no field {field}"
    assert theirs
    for resource, attribute in theirs:
        assert attribute in KNOWN[resource], f"{resource} has no attribute {attribute}"


def test_every_amount_of_a_bill_that_a_customer_pays_by_is_mapped() -> None:
    ours = {(message, field) for message, field, _ in rows()}
    assert {("Bill", name) for name in ("number", "net", "gross", "payable", "due_day", "lines", "taxes")} <= ours
    assert len(ours) == len(rows()) >= 35
