"""What `onetier account` tells of an account, line by line."""

from onetier.v1 import service_desk_pb2 as pb

from console.frontend.looking import account_lines


def test_who_pays_for_whom_is_told() -> None:
    view = pb.AccountView(account_id="GD/3:1", payer_account_id="GD/3:2", payee_account_ids=["BJ/1:3", "BJ/1:4"])
    assert account_lines(view)[1:] == [
        "  bills are paid by GD/3:2, from the period after the one in which that was set",
        "  pays the bills of BJ/1:3, BJ/1:4",
    ]
