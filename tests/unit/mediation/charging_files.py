"""Files of charging data records, encoded by somebody else's encoder (pycrate), in frames of TS 32.297 written here."""

from collections.abc import Sequence
from functools import cache

CS = {"moCallRecord", "mtCallRecord", "moSMSRecord", "mtSMSRecord"}
IMS = {"sCSCFRecord", "pCSCFRecord", "mGCFRecord", "aSRecord"}


@cache
def standard(record: str) -> object:
    """Give the encoder of the records of the domain to which a record belongs."""
    from pycrate_asn1dir import CDR  # It takes two seconds.

    if record in CS:
        return CDR.CSChargingDataTypes.CSRecord
    return CDR.IMSChargingDataTypes.IMSRecord if record in IMS else CDR.GPRSChargingDataTypes.GPRSRecord


def encoded(record: str, **fields: object) -> bytes:
    """Encode a record."""
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return bytes(standard(record).to_ber((record, names)))  # type: ignore[attr-defined]


def framed(
    records: Sequence[bytes], *, release: int = 7, count: int | None = None, filter_octets: bytes = b""
) -> bytes:
    """Put records into a file of TS 32.297."""
    head = bytes([release << 5 | 1, 1 << 5 | 1]) + (b"\x05" if release == 7 else b"")
    body = b"".join(len(each).to_bytes(2) + head + each for each in records)
    after = len(filter_octets).to_bytes(2) + filter_octets + b"\0\0" + (b"\x05\x05" if release == 7 else b"")
    start = 48 + len(after)
    told = len(records) if count is None else count
    fixed = bytes([release << 5 | 1] * 2) + b"\x10\x84\x28\x60" * 2 + told.to_bytes(4) + (9).to_bytes(4)
    header = (start + len(body)).to_bytes(4) + start.to_bytes(4) + fixed + b"\x02" + bytes(20) + b"\0" + after
    assert len(header) == start
    return header + body


def packed(digits: str) -> bytes:
    """Pack digits with the low half first and a filler at the end."""
    padded = digits + "f" * (len(digits) % 2)
    return bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))


def address(digits: str, kind: int = 1) -> bytes:
    """Pack a number with what it is: 1 international, 2 national."""
    return bytes([0x80 | kind << 4 | 1]) + packed(digits)


def moment(text: str, offset: str = "+0800") -> bytes:
    """Pack a time: `260105100000`."""
    return bytes.fromhex(text) + offset[0].encode() + bytes.fromhex(offset[1:])


def call(serial: int, number: str = "8613800138000", seconds: int = 61, **more: object) -> bytes:
    """A call that a subscriber made."""
    fields: dict[str, object] = {
        "recordType": 0,
        "servedIMSI": packed("460001234567890"),
        "servedMSISDN": address(number),
        "calledNumber": address("861065551234"),
        "recordingEntity": address("8613900000001"),
        "answerTime": moment("260105100000"),
        "callDuration": seconds,
        "causeForTerm": 0,
        "callReference": serial.to_bytes(4),
    }
    return encoded("moCallRecord", **fields | more)


def message(serial: int, number: str = "8613800138000") -> bytes:
    """A message that a subscriber sent."""
    return encoded(
        "moSMSRecord",
        recordType=6,
        servedIMSI=packed("460001234567890"),
        servedMSISDN=address(number),
        msClassmark=b"\x33",
        serviceCentre=address("8613800100500"),
        recordingEntity=address("8613900000001"),
        messageReference=bytes([serial]),
        originationTime=moment("260105100500"),
        destinationNumber=address("8613900139000"),
    )


def session(serial: int, containers: Sequence[tuple[int, str, int, int]], number: str = "8613800138000") -> bytes:
    """A data session: of each container the rating group, when it began, and its volumes up and down."""
    return encoded(
        "pGWRecord",
        recordType=85,
        servedIMSI=packed("460001234567890"),
        p_GWAddress=("iPBinaryAddress", ("iPBinV4Address", bytes([10, 0, 0, 1]))),
        chargingID=serial,
        servingNodeAddress=[],
        accessPointNameNI="internet",
        recordOpeningTime=moment("260105095000"),
        duration=1800,
        causeForRecClosing=0,
        recordSequenceNumber=1,
        nodeID="pgw-1",
        servedMSISDN=address(number),
        chargingCharacteristics=b"\x08\x00",
        servingNodePLMNIdentifier=bytes.fromhex("64f000"),
        servingNodeType=["gTPSGW"],
        listOfServiceData=[
            {
                "ratingGroup": group,
                "localSequenceNumber": at,
                "timeOfFirstUsage": moment(began),
                "serviceConditionChange": (0, 1),
                "datavolumeFBCUplink": up,
                "datavolumeFBCDownlink": down,
                "timeOfReport": moment("260105103000"),
            }
            for at, (group, began, up, down) in enumerate(containers, 1)
        ],
    )
