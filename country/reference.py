"""Channels and partners of the sample: data of the shared units that every request is checked against."""

from collections.abc import Sequence

from onetier.v1 import data_center_pb2 as dc

FRONT, WEB_HALL, SMS_HALL, POS, PARTNER = "front", "web-hall", "sms-hall", "pos", "partner"
CLOSED_CHANNEL = "wap-hall"
UNKNOWN_CHANNEL = "kiosk"
ACTIVE_PARTNERS = ("unipay", "mvno-blue")
UNKNOWN_PARTNER = "nobody"
INACTIVE_PARTNER = "mvno-gone"

SELLS = (
    "charge",
    "session",
    "quote",
    "balance",
    "usage",
    "contract",
    "history",
    "outcome",
    "open_account",
    "open_account_past",
    "subscribe",
    "unsubscribe",
    "change_characteristics",
    "change_plan",
    "join",
    "leave",
    "transfer_ownership",
    "reopen_account",
    "change_identity",
    "pause",
    "resume",
    "set_account_status",
    "set_payment_mode",
    "set_threshold",
    "set_account_profile",
    "top_up",
    "top_up_units",
    "transfer",
    "pay",
)

CHANNELS = (
    dc.Channel(code=FRONT, name="Regional front end", open=True),
    dc.Channel(code=WEB_HALL, name="Web hall", open=True),
    dc.Channel(code=SMS_HALL, name="SMS hall", open=True),
    dc.Channel(code=POS, name="Point of sale", open=True),
    dc.Channel(code=PARTNER, name="Partner access", open=True, partners_only=True),
    dc.Channel(code=CLOSED_CHANNEL, name="WAP hall, closed in 2015", open=False),
)
PARTNERS = (
    dc.Partner(code=ACTIVE_PARTNERS[0], name="Payment network", active=True),
    dc.Partner(code=ACTIVE_PARTNERS[1], name="Virtual operator", active=True),
    dc.Partner(code=INACTIVE_PARTNER, name="Virtual operator that left", active=False),
)

_ANY = -1
_THOUSAND_YUAN = 1_000_000_000


def _grant(grant_id: str, subject: str, commands: Sequence[str], alone_max: int) -> dc.Grant:
    return dc.Grant(
        grant_id=grant_id, subject=subject, commands=commands, amount_max=_ANY, alone_max=alone_max, actors=True
    )


GRANTS = (
    _grant("sample-frontend", "frontend", SELLS, _ANY),
    _grant("sample-operator", "operator", ["*"], _THOUSAND_YUAN),
    _grant("sample-set-up", "operator", ["amend_plan"], _ANY),
)
"""With certificates, the sample is loaded by one front end, which opens accounts with their money, and by one operator,
who enters numbers alone; a real country grants both for the days of its migration, then takes them back."""
