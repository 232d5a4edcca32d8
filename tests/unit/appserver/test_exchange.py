"""The platform over real gRPC: what goes well, and each bad input answered by itself with a clear error."""

import time
from collections.abc import Awaitable, Callable

import grpc
import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Agreement, Discount
from charging.errors import Broken, Conflict, Denied, Invalid, NotFound, Refused, Unavailable
from charging.wire import Commit, Done, Failed
from runtime.status import from_rpc_error
from testkit.front import A, B, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

YUAN = 1_000_000


async def test_charge_takes_money_and_explains(front: Front) -> None:
    await front.open(money=10 * YUAN)
    plain, explained = await front.exchange(front.charge(quantity=61), front.charge(explain=True))
    assert plain.charge.amount == 400_000
    assert plain.charge.currency == "CNY"
    assert plain.charge.domain == "GD"
    assert not plain.charge.repeated
    assert [(move.book_id, move.before, move.after) for move in plain.charge.movements] == [
        ("main", 10_000_000, 9_600_000)
    ]
    assert not plain.charge.steps
    assert explained.charge.amount == 200_000
    assert explained.charge.account_version == plain.charge.account_version + 1
    assert explained.charge.steps[0].kind == "tariff"
    assert explained.charge.steps[0].text
    assert explained.charge.steps[0].origin == "national"


async def test_quote_tells_the_price_and_changes_nothing(front: Front, owner: OwnerInMemory) -> None:
    await front.open(money=10 * YUAN)
    quote = (await front.one(front.quote(quantity=120))).quote
    assert quote.amount == 400_000
    assert quote.steps
    assert owner.asked.get("Commit") == 1  # the opening
    balance = (await front.one(front.query())).balance
    assert (balance.real, balance.available, balance.version) == (10 * YUAN, 10 * YUAN, 1)


async def test_agreements_that_the_catalogue_lacks_are_refused(front: Front, owner: OwnerInMemory) -> None:
    rule = Discount("corporate", "account", percent="10")
    owner.publish(replace(catalogue(2), discounts=(rule,), agreements=(Agreement("group", ("corporate",)),)))
    await front.open(money=10 * YUAN)
    asks = [
        ("set_account_profile", pb.SetAccountProfile(agreements=["gruop"]), "agreements"),
        ("set_contract", pb.SetContract(contract=pb.Contract(agreements=["gruop"])), "contract.agreements"),
    ]
    for name, command, field in asks:
        fault = fault_of(await front.one(front.execute(**{name: command})))
        assert (fault.reason, list(fault.fields)) == ("AGREEMENT_UNKNOWN", [f"{name}.{field}"])
        assert "group" in fault.message
    await front.one(front.execute(set_account_profile=pb.SetAccountProfile(agreements=["group"])))
    charged = await front.one(front.charge())
    assert charged.charge.amount == 180_000, "ten percent off, as agreed"


async def test_queries_see_what_was_charged_before(front: Front) -> None:
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=90))
    balance, usage, contract, history = await front.exchange(
        front.query(),
        front.query(view="usage"),
        front.query(view="contract"),
        front.query(view="history", explain=True),
    )
    assert balance.balance.books[0].book_id == "main"
    assert balance.balance.members == [A]
    assert [(left.allowance, left.used) for left in usage.usage.allowances] == [("minutes-100", 90)]
    assert contract.contract.contract.subscriptions[0].offering == "bundle"
    assert [line.kind for line in history.history.lines] == ["c", "open"]
    assert history.history.lines[0].steps[0].kind == "allowance"


async def test_recent_lines_of_usage_on_demand(front: Front) -> None:
    await front.open()
    await front.one(front.charge())
    usage = (await front.one(front.query(view="usage", explain=True))).usage
    assert [line.kind for line in usage.recent] == ["c", "open"]
    history = (await front.one(front.query(view="history", quantity=1))).history
    assert [line.kind for line in history.lines] == ["c"]


async def test_commands_of_all_kinds(front: Front) -> None:
    await front.open(money=10 * YUAN)
    await front.open(B, money=1)
    charged = front.charge(quantity=60)
    await front.one(charged)
    refund = pb.Refund(charge_key=charged.request_key, amount=0, reason="complaint")
    requests = [
        front.execute(top_up=pb.TopUp(amount=5)),
        front.execute(actor="staff-1", adjust=pb.Adjust(delta=-5, reason="typo")),
        front.execute(refund=refund),
        front.execute(transfer=pb.Transfer(to_identity=B, amount=7)),
        front.execute(set_credit_limit=pb.SetCreditLimit(credit_limit=1)),
        front.execute(set_payment_mode=pb.SetPaymentMode(payment_mode="postpaid")),
        front.execute(set_threshold=pb.SetThreshold(threshold_id="low", watches="balance", mark=5)),
        front.execute(set_account_profile=pb.SetAccountProfile(account_attributes={"segment": "gold"})),
        front.execute(set_contract=pb.SetContract(contract=pb.Contract(subscriptions=[{"offering": "bundle"}]))),
        front.execute(set_account_status=pb.SetAccountStatus(status="suspended", reason="lost phone")),
    ]
    replies = await front.exchange(*requests)
    assert [reply.WhichOneof("result") for reply in replies] == ["command"] * len(requests)
    assert replies[0].command.movements[0].delta == 5
    assert replies[2].command.movements[0].delta == 200_000
    assert replies[3].command.movements[0].delta == -7
    assert [reply.command.account_version for reply in replies] == list(range(3, 13))
    suspended = fault_of(await front.one(front.charge()))
    assert (type(suspended), suspended.reason) == (Refused, "ACCOUNT_SUSPENDED")


async def test_session_from_grant_to_release(front: Front) -> None:
    await front.open(money=100 * YUAN)

    def step(operation: int, invocation: int, requested: int, used: int) -> pb.ServiceRequest:
        use = pb.UnitUse(service_code="data", requested=requested, used=used)
        return front.execute(
            session=pb.SessionRequest(session_id="s-1", operation=operation, invocation=invocation, units=[use])
        )

    steps = pb.SessionRequest
    created = (await front.one(step(steps.OPERATION_CREATE, 0, 10 << 20, 0))).session
    assert created.grants[0].granted == 10 << 20
    assert created.grants[0].charged == 0
    assert created.grants[0].valid_until_ms > time.time() * 1000
    updated = (await front.one(step(steps.OPERATION_UPDATE, 1, 10 << 20, 5 << 20))).session
    assert updated.grants[0].charged == 5 * 290_000
    repeated = (await front.one(step(steps.OPERATION_UPDATE, 1, 10 << 20, 5 << 20))).session
    assert repeated.repeated
    assert repeated.grants == updated.grants
    released = (await front.one(step(steps.OPERATION_RELEASE, 2, 0, 1 << 20))).session
    assert released.grants[0].charged == 6 * 290_000
    balance = (await front.one(front.query())).balance
    assert (balance.real, balance.reserved) == (100 * YUAN - 6 * 290_000, 0)


async def test_a_session_is_valid_for_as_long_as_the_settings_say(
    front_of: Callable[..., Awaitable[Front]],
) -> None:
    front = await front_of(session_validity_ms=90_000)
    await front.open()
    use = pb.UnitUse(service_code="data", requested=1024)
    create = pb.SessionRequest(session_id="s", operation=pb.SessionRequest.OPERATION_CREATE, units=[use])
    before_ms = int(time.time() * 1000)
    (grant,) = (await front.one(front.execute(session=create))).session.grants
    assert before_ms + 90_000 <= grant.valid_until_ms <= int(time.time() * 1000) + 90_000


@pytest.mark.parametrize(
    ("fields", "kind", "reason", "field"),
    [
        ({"identity": "tel:1"}, Invalid, "IDENTITY_MALFORMED", "identity"),
        ({"identity": "msisdn:8613099999999"}, NotFound, "IDENTITY_UNKNOWN", ""),
        ({"service_code": "telegraph"}, Invalid, "SERVICE_UNKNOWN", "service_code"),
        ({"quantity": -60}, Invalid, "QUANTITY_NEGATIVE", "quantity"),
        ({"quantity": 9_000_000_000_000_000_000}, Invalid, "QUANTITY_ABSURD", "quantity"),
        ({"event_time_ms": 4_000_000_000_000}, Invalid, "EVENT_IN_FUTURE", "event_time_ms"),
        ({"event_time_ms": 999}, Invalid, "EVENT_BEFORE_CONTRACT", "event_time_ms"),
        ({"request_key": ""}, Invalid, "REQUEST_KEY_MISSING", "request_key"),
        ({"visited_place": "ATLANTIS"}, Invalid, "REGION_UNKNOWN", "visited_place"),
        ({"channel": "pigeon"}, Denied, "CHANNEL_UNKNOWN", "channel"),
        ({"channel": ""}, Denied, "CHANNEL_UNKNOWN", "channel"),
        ({"channel": "fax"}, Denied, "CHANNEL_CLOSED", "channel"),
        ({"channel": "partner"}, Invalid, "PARTNER_MISSING", "partner"),
        ({"channel": "partner", "partner": "nobody"}, Denied, "PARTNER_UNKNOWN", "partner"),
        ({"channel": "partner", "partner": "gone"}, Denied, "PARTNER_INACTIVE", "partner"),
    ],
)
async def test_one_bad_item_fails_alone(
    front: Front, fields: dict[str, object], kind: type[Exception], reason: str, field: str
) -> None:
    await front.open()
    before, bad, after = await front.exchange(front.charge(), front.charge(**fields), front.charge())
    assert before.charge.amount == after.charge.amount == 200_000
    fault = fault_of(bad)
    assert (type(fault), fault.reason) == (kind, reason)
    assert not field or field in fault.fields
    assert A not in fault.message


async def test_region_of_an_opening_is_checked(front: Front) -> None:
    request = front.opening()
    request.open_account.contract.domain = "ZZ"
    assert fault_of(await front.one(request)).reason == "REGION_UNKNOWN"


async def test_a_contract_is_in_the_region_of_its_account(front: Front) -> None:
    await front.open()
    for domain, reason in (("ZZ", "REGION_UNKNOWN"), ("BJ", "REGION_MISMATCH")):
        request = front.execute(set_contract=pb.SetContract(contract=pb.Contract(domain=domain)))
        fault = fault_of(await front.one(request))
        assert fault.reason == reason
        assert list(fault.fields) == ["set_contract.contract.domain"]


async def test_opening_without_a_region_opens_where_the_identity_is_served(front: Front, owner: OwnerInMemory) -> None:
    request = front.opening()
    request.open_account.contract.domain = ""
    assert (await front.one(request)).command.account_id == A
    assert owner.desk.accounts[A].terms.domain == owner.contracts[A].domain == "GD"


async def test_partner_and_network_abroad_pass(front: Front) -> None:
    await front.open()
    reply = await front.one(front.charge(channel="partner", partner="acme", visited_place="HK-CSL"))
    assert reply.charge.amount == 200_000


async def test_no_money_is_refused_and_kept(front: Front) -> None:
    await front.open(money=100_000)
    request = front.charge()
    first, other = await front.exchange(request, front.query())
    assert fault_of(first).reason == "INSUFFICIENT_FUNDS"
    assert other.balance.real == 100_000
    await front.one(front.execute(top_up=pb.TopUp(amount=YUAN)))
    assert fault_of(await front.one(request)).reason == "INSUFFICIENT_FUNDS", "a refusal is kept under its key"
    assert (await front.one(front.charge())).charge.amount == 200_000


async def test_repeat_gets_the_stored_outcome_with_its_explanation(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    request = front.charge(explain=True)
    first = (await front.one(request)).charge
    owner.publish(catalogue(2, "0.9"))
    await front.one(front.charge())
    again = (await front.one(request)).charge
    assert again.repeated
    assert (again.amount, again.account_version, again.steps) == (first.amount, first.account_version, first.steps)
    assert (await front.one(front.query())).balance.version == 3


async def test_repeat_within_a_batch_is_charged_once(front: Front) -> None:
    await front.open()
    request = front.charge()
    replies = await front.exchange(request, front.charge(), request, front.charge())
    assert [reply.charge.repeated for reply in replies] == [False, False, True, False]
    assert (await front.one(front.query())).balance.version == 4


async def test_key_with_other_content_is_a_conflict(front: Front) -> None:
    await front.open()
    request = front.charge(request_key="same")
    await front.one(request)
    other = fault_of(await front.one(front.charge(request_key="same", quantity=600)))
    assert (type(other), other.reason) == (Conflict, "REQUEST_KEY_REUSED")
    unpriced = fault_of(await front.one(front.charge(request_key="same", service_code="telegraph")))
    assert (type(unpriced), unpriced.reason) == (Conflict, "REQUEST_KEY_REUSED")


async def test_stored_outcome_wins_over_a_fault_of_today(front: Front, owner: OwnerInMemory) -> None:
    """The channel was closed since: the repeat still hears what happened."""
    await front.open()
    request = front.charge()
    first = (await front.one(request)).charge
    reference = owner.reference("GD")
    owner.revision += 1
    closed = tuple(type(each)(each.code, each.name, False, False) for each in reference.channels)
    owner.reference = lambda domain: type(reference)(  # type: ignore[method-assign]
        domain, owner.revision, "Asia/Shanghai", closed, (), reference.catalogues, reference.domains
    )
    await front.one(front.query())
    assert fault_of(await front.one(front.charge())).reason == "CHANNEL_CLOSED"
    again = (await front.one(request)).charge
    assert again.repeated
    assert again.amount == first.amount


async def test_unpriced_event_keeps_nothing_so_the_key_can_be_repeated(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    request = front.charge(service_code="fax", quantity=1)
    assert fault_of(await front.one(request)).reason == "SERVICE_UNKNOWN"
    assert len(owner.desk.journals[A]) == 1


async def test_unavailable_owner_says_when_to_repeat(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    away = Failed("unavailable", "STORE_UNAVAILABLE", "the store does not answer", retry_ms=120)
    owner.intercept = lambda ask: away if isinstance(ask, Commit) else None
    request = front.charge()
    fault = fault_of(await front.one(request))
    assert (type(fault), fault.retry_ms) == (Unavailable, 120)
    owner.intercept = None
    assert (await front.one(request)).charge.amount == 200_000, "recovers without restart"


async def test_moved_account_is_asked_for_again(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    await front.one(front.charge())
    moved = Failed("refused", "ACCOUNT_MOVED", "moved to BJ")
    owner.intercept = lambda ask: moved if isinstance(ask, Commit) else None
    fault = fault_of(await front.one(front.charge()))
    assert isinstance(fault, Unavailable)
    assert fault.retry_ms > 0
    owner.intercept = None
    pulls = owner.asked["Pull"]
    assert (await front.one(front.charge())).charge.amount == 200_000
    assert owner.asked["Pull"] == pulls + 1


async def test_defect_harms_its_item_alone(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    await front.open(B)
    odd = owner.data(A)
    owner.intercept = lambda ask: odd if isinstance(ask, Commit) and ask.identity == B else None
    good, bad = await front.exchange(front.charge(), front.charge(B))
    assert good.charge.amount == 200_000
    assert isinstance(fault_of(bad), Broken)


async def test_defect_in_an_answer_does_not_block_its_account(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    use = pb.UnitUse(service_code="data", requested=1024)
    step = pb.SessionRequest(session_id="s", operation=pb.SessionRequest.OPERATION_CREATE, units=[use])
    without_outcome = Done(A, 2, 0, ())
    owner.intercept = lambda ask: without_outcome if isinstance(ask, Commit) else None
    assert isinstance(fault_of(await front.one(front.execute(session=step))), Broken)
    owner.intercept = None
    assert (await front.one(front.charge())).charge.amount == 200_000


async def test_published_catalogue_is_seen_with_the_next_answer(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    assert (await front.one(front.charge())).charge.amount == 200_000
    owner.publish(catalogue(2, "0.5"))
    await front.one(front.charge())  # its outcome brings the news
    assert (await front.one(front.quote())).quote.amount == 500_000
    reply = (await front.one(front.charge())).charge
    assert (reply.amount, reply.catalogue_version) == (500_000, 2)
    assert owner.asked["FetchReference"] == 2


async def test_unary_calls_join(front: Front) -> None:
    await front.stub.Execute(pb.ExecuteRequest(request=front.opening(money=10 * YUAN)), timeout=5)
    charge = front.charge()
    charge.request_type = pb.REQUEST_TYPE_UNSPECIFIED
    charged = await front.stub.Charge(pb.ChargeRequest(request=charge), timeout=5)
    assert charged.charge.amount == 200_000
    quoted = await front.stub.Quote(pb.QuoteRequest(request=front.quote(quantity=120)), timeout=5)
    assert quoted.quote.amount == 400_000
    answered = await front.stub.Query(pb.QueryRequest(request=front.query()), timeout=5)
    assert answered.balance.real == 10 * YUAN - 200_000


@pytest.mark.parametrize(
    ("make", "code", "reason"),
    [
        (lambda front: front.charge(quantity=-1), grpc.StatusCode.INVALID_ARGUMENT, "QUANTITY_NEGATIVE"),
        (lambda front: front.charge("13099999999"), grpc.StatusCode.NOT_FOUND, "IDENTITY_UNKNOWN"),
        (lambda front: front.query(), grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_TYPE_MISMATCH"),
    ],
)
async def test_unary_fault_is_a_status_with_details(
    front: Front, make: Callable[[Front], pb.ServiceRequest], code: grpc.StatusCode, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await front.stub.Charge(pb.ChargeRequest(request=make(front)), timeout=5)
    assert raised.value.code() is code
    fault = from_rpc_error(raised.value)
    assert fault.reason == reason


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (
            {"set_threshold": pb.SetThreshold(threshold_id="x", watches="none", mark=3)},
            "ACCUMULATOR_UNKNOWN",
        ),
        ({"top_up": pb.TopUp(book_id="p", unit="second", amount=9, allowance="nope")}, "ALLOWANCE_UNKNOWN"),
        ({"top_up": pb.TopUp(book_id="q", unit="byte", amount=9, allowance="minutes-100")}, "ALLOWANCE_UNIT"),
    ],
)
async def test_names_that_nothing_answers_to_are_refused(front: Front, command: dict[str, object], reason: str) -> None:
    await front.open(money=YUAN)
    fault = fault_of(await front.one(front.execute(**command)))
    assert (type(fault), fault.reason) == (Invalid, reason)
    known = pb.TopUp(book_id="r", unit="second", amount=9, allowance="minutes-100")
    assert (await front.one(front.execute(top_up=known))).WhichOneof("result") == "command"


async def test_an_opening_with_a_book_that_nothing_uses_is_refused(front: Front) -> None:
    book = pb.BalanceBook(book_id="p", unit="second", amount=9, allowance="nope")
    fault = fault_of(await front.one(front.execute(open_account=pb.OpenAccount(payment_mode="prepaid", books=[book]))))
    assert (type(fault), fault.reason) == (Invalid, "ALLOWANCE_UNKNOWN")
