"""Batches of roaming partners (TAP 3.12), written by pycrate."""

from pycrate_asn1dir import TAP3


def time(at: str) -> dict[str, object]:
    return {"localTimeStamp": at.encode(), "utcTimeOffsetCode": 0}


def batch(events: list[tuple[str, dict[str, object]]], count: int | None = None) -> bytes:
    told = len(events) if count is None else count
    TAP3.TAP_0312.DataInterChange.set_val((
        "transferBatch",
        {
            "batchControlInfo": {
                "sender": b"DEUD1",
                "recipient": b"CHNCT",
                "fileSequenceNumber": b"00042",
                "specificationVersionNumber": 3,
                "releaseVersionNumber": 12,
            },
            "accountingInfo": {"tapDecimalPlaces": 3},
            "networkInfo": {"utcTimeOffsetInfo": [{"utcTimeOffsetCode": 0, "utcTimeOffset": b"+0800"}]},
            "callEventDetails": events,
            "auditControlInfo": {"callEventDetailsCount": told},
        },
    ))  # fmt: skip
    return bytes(TAP3.TAP_0312.DataInterChange.to_ber())


def roamer(number: str = "8613800138000f") -> tuple[str, dict[str, object]]:
    digits = {"imsi": bytes.fromhex("460001234567890f")}
    if number:
        digits["msisdn"] = bytes.fromhex(number)
    return ("simChargeableSubscriber", digits)


def roaming_call(service: bytes = b"11", number: str = "8613800138000f") -> tuple[str, dict[str, object]]:
    used = {"basicService": {"serviceCode": ("teleServiceCode", service)}, "chargeInformationList": []}
    return (
        "mobileOriginatedCall",
        {
            "basicCallInformation": {
                "chargeableSubscriber": roamer(number),
                "destination": {"calledNumber": bytes.fromhex("49301234567f")},
                "callEventStartTimeStamp": time("20260105100000"),
                "totalCallEventDuration": 61,
            },
            "basicServiceUsedList": [used],
        },
    )


def roaming_data() -> tuple[str, dict[str, object]]:
    return (
        "gprsCall",
        {
            "gprsBasicCallInformation": {
                "gprsChargeableSubscriber": {"chargeableSubscriber": roamer()},
                "gprsDestination": {"accessPointNameNI": b"internet"},
                "callEventStartTimeStamp": time("20260105100000"),
                "totalCallEventDuration": 9,
            },
            "gprsServiceUsed": {"dataVolumeIncoming": 2**40, "dataVolumeOutgoing": 5, "chargeInformationList": []},
        },
    )
