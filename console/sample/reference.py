"""Channels and partners of the sample: data of the shared units that every request is checked against."""

from onetier.v1 import data_center_pb2 as dc

FRONT, WEB_HALL, SMS_HALL, POS, PARTNER = "front", "web-hall", "sms-hall", "pos", "partner"
CLOSED_CHANNEL = "wap-hall"
UNKNOWN_CHANNEL = "kiosk"
ACTIVE_PARTNERS = ("unipay", "mvno-blue")
UNKNOWN_PARTNER = "nobody"
INACTIVE_PARTNER = "mvno-gone"

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
