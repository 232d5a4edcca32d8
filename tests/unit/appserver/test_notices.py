"""What a change raises (marks crossed, suspension, resumption) reaches who made it, and whoever reads the history."""

from onetier.v1 import service_desk_pb2 as pb

from testkit.front import Front

YUAN = 1_000_000


async def test_notices_of_charges_sessions_and_commands_are_told_and_kept(front: Front) -> None:
    opening = front.opening(money=YUAN)
    opening.open_account.account_attributes["auto_suspend"] = "yes"
    await front.one(opening)
    await front.one(front.execute(set_threshold=pb.SetThreshold(threshold_id="low", watches="balance", mark=900_000)))
    crossing = front.charge(explain=True)
    charged = (await front.one(crossing)).charge
    assert (charged.amount, list(charged.notices)) == (200_000, ["low-balance:low"])
    again = (await front.one(crossing)).charge
    assert (again.repeated, list(again.notices)) == (True, ["low-balance:low"])
    assert list((await front.one(front.charge())).charge.notices) == [], "it is below the mark already"
    use = pb.UnitUse(service_code="voice", requested=120)
    create = pb.SessionRequest(session_id="s", operation=pb.SessionRequest.OPERATION_CREATE, units=[use])
    assert list((await front.one(front.execute(session=create))).session.notices) == []
    more = pb.UnitUse(service_code="voice", used=600)
    release = pb.SessionRequest(
        session_id="s", operation=pb.SessionRequest.OPERATION_RELEASE, invocation=1, units=[more]
    )
    released = (await front.one(front.execute(session=release))).session
    assert sorted(released.notices) == ["shortfall:voice", "suspended"]
    deposit = (await front.one(front.execute(top_up=pb.TopUp(amount=5)))).command
    assert list(deposit.notices) == ["resumed"]
    lines = (await front.one(front.query(view="history"))).history.lines
    raised = [(line.kind, sorted(line.notices)) for line in lines if line.notices]
    assert raised == [
        ("topup", ["resumed"]),
        ("session", ["shortfall:voice", "suspended"]),
        ("c", ["low-balance:low"]),
    ]
