"""What people write behind `onetier do top-up` and its like becomes the fields of a message, or one sentence."""

from pathlib import Path

import pytest
import typer
from google.protobuf.message import Message
from onetier.v1 import service_desk_pb2 as pb

from charging.base.fieldtypes import Amount
from charging.errors import NotFound
from console.frontend.doing import KINDS, options_of
from console.frontend.fieldoptions import FieldOption, Given, check_counted
from onetier_client import AsyncClient


def option(kind: str, field: str) -> FieldOption:
    (found,) = (each for each in options_of(kind) if each.field.name == field)
    return found


def filled(kind: str, field: str, given: Given) -> Message:
    message = KINDS[kind]()
    option(kind, field).fill(message, given)
    return message


class Balance(AsyncClient):
    """A client that knows one balance."""

    def __init__(self, *books: pb.BalanceBook) -> None:
        super().__init__(["127.0.0.1:1"])
        self.books = books

    async def balance(self, identity: str, **facts: object) -> pb.BalanceView:  # type: ignore[override]
        return pb.BalanceView(books=self.books)


async def amount(kind: str, field: str, given: str, **beside: object) -> int:
    client = Balance(pb.BalanceBook(book_id="main", unit="money"), pb.BalanceBook(book_id="pack", unit="second"))
    message = KINDS[kind](**beside)
    await option(kind, field).fill_amount(message, given, "msisdn:8613000000001", client)
    return int(getattr(message, field))


@pytest.mark.parametrize(
    ("kind", "field", "given", "wanted"),
    [
        ("refund", "charge_key", "k-1", pb.Refund(charge_key="k-1")),
        ("refund", "reason", "", pb.Refund()),
        ("approve", "reject", True, pb.Approve(reject=True)),
        ("top_up", "priority", "7", pb.TopUp(priority=7)),
        ("top_up", "valid_to_ms", "2026-01-05T10:00:00+08:00", pb.TopUp(valid_to_ms=1_767_578_400_000)),
        ("top_up", "valid_to_ms", "1767578400000", pb.TopUp(valid_to_ms=1_767_578_400_000)),
        ("set_account_profile", "agreements", ["a", "b"], pb.SetAccountProfile(agreements=["a", "b"])),
        (
            "set_account_profile",
            "account_attributes",
            ["segment=gold", "note=a=b"],
            pb.SetAccountProfile(account_attributes={"segment": "gold", "note": "a=b"}),
        ),
        ("session", "operation", "release", pb.SessionRequest(operation=pb.SessionRequest.OPERATION_RELEASE)),
        ("session", "units", ['{"used": "5"}'], pb.SessionRequest(units=[pb.UnitUse(used=5)])),
        ("set_contract", "contract", '{"domain": "GD"}', pb.SetContract(contract=pb.Contract(domain="GD"))),
    ],
)
def test_an_option_becomes_its_field(kind: str, field: str, given: Given, wanted: Message) -> None:
    assert filled(kind, field, given) == wanted


def test_a_message_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text('{"domain": "BJ"}', "utf-8")
    message = filled("set_contract", "contract", f"@{tmp_path / 'contract.json'}")
    assert message == pb.SetContract(contract=pb.Contract(domain="BJ"))


@pytest.mark.parametrize(
    ("kind", "field", "given", "complaint"),
    [
        ("top_up", "priority", "first", "no whole number"),
        ("top_up", "priority", "99999999999", "no whole number for --priority: give one of -2147483648 to 2147483647"),
        ("top_up", "priority", "\uff15", "no whole number"),
        ("session", "invocation", "-1", "no whole number for --invocation: give one of 0 to 4294967295"),
        ("session", "units", ["[]"], "--units is no UnitUse: write an object of JSON"),
        ("session", "units", ["null"], "--units is no UnitUse: write an object of JSON"),
        ("session", "units", ["7"], "--units is no UnitUse: write an object of JSON"),
        ("top_up", "valid_to_ms", "tomorrow", "no time"),
        ("session", "operation", "pause", "none of create, update, release"),
        ("set_account_profile", "account_attributes", ["segment"], "as name=value"),
        ("set_contract", "contract", '{"plan": 5}', "is no Contract"),
    ],
)
def test_what_can_not_be_read_is_told_in_a_sentence(kind: str, field: str, given: Given, complaint: str) -> None:
    with pytest.raises(typer.BadParameter, match=complaint):
        filled(kind, field, given)


@pytest.mark.parametrize(
    ("kind", "field", "given", "beside", "wanted"),
    [
        ("refund", "amount", "0.5", {}, 500_000),
        ("top_up", "amount", "50", {}, 50_000_000),
        ("top_up", "amount", "50", {"unit": "byte"}, 50),
        ("adjust", "delta", "-1.25", {}, -1_250_000),
        ("adjust", "delta", "-60", {"book_id": "pack"}, -60),
        ("set_threshold", "mark", "5", {"watches": "balance"}, 5_000_000),
        ("set_threshold", "mark", "5", {"watches": "data-month"}, 5),
    ],
)
async def test_an_amount_is_of_money_unless_the_field_beside_it_counts_units(
    kind: str, field: str, given: str, beside: dict[str, object], wanted: int
) -> None:
    assert await amount(kind, field, given, **beside) == wanted


async def test_units_have_no_fractions() -> None:
    with pytest.raises(typer.BadParameter, match="no whole number"):
        await amount("top_up", "amount", "0.5", unit="second")


def test_an_amount_of_which_nobody_knows_what_it_counts_is_refused_when_the_command_is_made() -> None:
    with pytest.raises(TypeError, match="counted as 'moon' says"):
        check_counted(Amount("AMOUNT_NOT_POSITIVE", beside="moon"), "top_up.amount")


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "\uff15", "five", " 5"])
async def test_what_is_no_amount_of_money_is_told_as_such(given: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no amount of money"):
        await amount("top_up", "amount", given)


class Ended(Balance):
    """A client that asks for an account that was closed."""

    async def balance(self, identity: str, **facts: object) -> pb.BalanceView:  # type: ignore[override]
        raise NotFound("IDENTITY_UNKNOWN", "no contract is known")


async def test_a_correction_of_an_account_that_ended_is_sent_so_that_its_key_tells_what_it_did() -> None:
    message = pb.Adjust(book_id="main")
    await option("adjust", "delta").fill_amount(message, "-1", "msisdn:8613000000001", Ended())
    assert message.delta == -1_000_000
