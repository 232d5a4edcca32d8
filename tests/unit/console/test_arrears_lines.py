"""What `onetier billing arrears` tells of an account, line by line."""

from onetier.v1 import service_desk_pb2 as pb

from console.operations.receivables import arrears_lines

YUAN = 1_000_000


def test_parts_that_were_agreed_to_be_paid_later_are_told_with_their_days() -> None:
    parts = [pb.Instalment(due_ms=1_798_761_600_000 + number * 86_400_000, amount=5 * YUAN) for number in range(2)]
    bill = pb.OpenBill(number="GD-0-B-2026-0000001", billed=10 * YUAN, open=10 * YUAN, instalments=parts)
    lines = [line for line in arrears_lines(pb.ArrearsView(account_id="a", bills=[bill])) if isinstance(line, str)]
    assert lines[1:] == [
        "  5.00 of GD-0-B-2026-0000001 was agreed to be paid until 2027-01-01 00:00:00.000+00:00",
        "  5.00 of GD-0-B-2026-0000001 was agreed to be paid until 2027-01-02 00:00:00.000+00:00",
    ]
