"""What an answer must say to be right: each function gives a sentence about what is wrong, "" when nothing is.

A fast answer with a wrong amount is a failure of the load test, not a success.
"""

from fractions import Fraction

from google.rpc import code_pb2, error_details_pb2
from onetier.v1 import service_desk_pb2 as desk

MONEY = "money"
TRANSIENT = {code_pb2.UNAVAILABLE, code_pb2.DEADLINE_EXCEEDED, code_pb2.RESOURCE_EXHAUSTED}
"""Answers after which the same key is repeated."""
PAUSE_S, PAUSE_MAX_S = 0.1, 1.0


def transient(reply: desk.ServiceReply) -> bool:
    """Say whether the outcome is still unknown, or not yet there, so that the key is to be repeated."""
    return reply.HasField("error") and reply.error.code in TRANSIENT


def refused(reply: desk.ServiceReply) -> bool:
    """Say whether the business refuses: no money, suspended. The key keeps it, as it keeps a charge."""
    return reply.HasField("error") and reply.error.code == code_pb2.FAILED_PRECONDITION


def pause_s(reply: desk.ServiceReply) -> float:
    """Give the wait that a refusal asks for before the repeat."""
    retry = error_details_pb2.RetryInfo()
    for detail in reply.error.details:
        if detail.Unpack(retry):
            return float(min(retry.retry_delay.ToMilliseconds() / 1_000, PAUSE_MAX_S))
    return PAUSE_S


def kind_fault(reply: desk.ServiceReply, kind: str) -> str:
    """An answer of the kind asked for."""
    if reply.HasField("error"):
        return f"refused with {code_pb2.Code.Name(reply.error.code)}: {reply.error.message[:120]}"
    found = reply.WhichOneof("result")
    return "" if found == kind else f"answered with {found} instead of {kind}"


def charge_fault(reply: desk.ServiceReply, domains: set[str], *, resent: bool) -> str:
    """A charge is what its movements took, in the account's own domain, and new unless its key was sent before."""
    fault = kind_fault(reply, "charge")
    if fault:
        return fault
    charge = reply.charge
    taken = -sum(moved.delta for moved in charge.movements if moved.unit == MONEY)
    if taken != charge.amount or charge.amount < 0:
        return f"charged {charge.amount}, but {taken} was taken from the books"
    if any(moved.after != moved.before + moved.delta for moved in charge.movements):
        return "a book does not hold what it held before, less what was taken"
    if not charge.currency or not charge.account_version:
        return f"charged in {charge.currency or 'no currency'} at version {charge.account_version}"
    if charge.domain not in domains:
        return f"charged in {charge.domain}, not in {' or '.join(sorted(domains))}"
    if charge.repeated and not resent:
        return "told to be a repeat of a key that was never sent before"
    return explanation_fault(charge)


def explanation_fault(charge: desk.ChargeResult) -> str:
    """The steps of an explained charge add up to its amount."""
    if not charge.steps:
        return ""
    explained = sum((Fraction(step.exact) for step in charge.steps), Fraction())
    return "" if explained == charge.amount else f"the steps add up to {explained}, the amount is {charge.amount}"


def query_fault(request: desk.ServiceRequest, reply: desk.ServiceReply, home: str) -> str:
    """A view is of the kind and the subscriber asked for and agrees with itself; a dry run explains its amount."""
    quoting = request.request_type == desk.REQUEST_TYPE_QUOTE
    fault = kind_fault(reply, "quote" if quoting else request.service_code)
    if fault:
        return fault
    if quoting:
        return explanation_fault(reply.quote) if reply.quote.steps else "a dry run that explains nothing"
    if request.service_code == "contract" and reply.contract.contract.identity != request.identity:
        return f"the contract of {reply.contract.contract.identity} was told"
    if request.service_code == "balance":
        seen = reply.balance
        if seen.domain != home:
            return f"the balance is told from {seen.domain}, the subscriber is of {home}"
        if seen.available != seen.real - seen.reserved + seen.credit_limit:
            return f"available {seen.available} of {seen.real}, reserved {seen.reserved}"
    return ""


def session_fault(
    request: desk.ServiceRequest, reply: desk.ServiceReply, charged: int, *, last: bool, rich: bool = True
) -> str:
    """A step answers its own session and invocation, grants what was asked, and never takes a charge back.

    Less is granted only where money may end: not to the `rich`.
    """
    fault = kind_fault(reply, "session")
    if fault:
        return fault
    step, told = request.session, reply.session
    if (told.session_id, told.invocation) != (step.session_id, step.invocation):
        return f"invocation {told.invocation} of another session was answered"
    if len(told.grants) != 1:
        return f"{len(told.grants)} grants for one service"
    grant = told.grants[0]
    if (rich or not grant.final_unit) and grant.granted != (0 if last else step.units[0].requested):
        return f"granted {grant.granted} of {step.units[0].requested}"
    return "" if grant.charged >= charged else f"charged {grant.charged} so far, {charged} before"
