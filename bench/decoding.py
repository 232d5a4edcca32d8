"""Decoding files of switches beside another decoder of the same records, and joining the parts of long calls.

Run by `bench.everything` in processes of its own, on the compiled modules and on the pure ones.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from pycrate_asn1dir import CDR

from mediation.decoders import ber
from mediation.decoders.ts32297 import RecordReader
from mediation.formats.format import DropRule, PartsRule
from mediation.formats.reading import read_format
from mediation.plant.assembler import CallAssembler
from mediation.plant.base import PlantBase
from mediation.plant.batches import KeyedRecord
from mediation.plant.parts import PartBook
from mediation.records import CallPart, DetailRecord, RecordPlace

PAGE = Path(__file__).resolve().parents[1] / "mediation" / "samples" / "formats" / "msc.yaml"
RULE = PartsRule(("id",), "number", DropRule("cause", ("partial",), ""))
PARTS = 4
"""Of a call."""


def _packed(digits: str) -> bytes:
    padded = digits + "f" * (len(digits) % 2)
    return bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))


def _number(digits: str) -> bytes:
    return b"\x91" + _packed(digits)


def _moment(text: str) -> bytes:
    return bytes.fromhex(text) + b"+" + bytes.fromhex("0800")


def a_call() -> bytes:
    """Encode a call with the fields that a switch fills in: 36 elements, of which the page reads 11."""
    place = {"locationAreaCode": b"\x12\x34", "cellId": b"\x56\x78"}
    fields = {
        "recordType": 0,
        "servedIMSI": _packed("460001234567890"),
        "servedIMEI": _packed("3520990017614823"),
        "servedMSISDN": _number("8613800138000"),
        "callingNumber": _number("8613800138000"),
        "calledNumber": _number("861065551234"),
        "translatedNumber": _number("861065551234"),
        "connectedNumber": _number("861065551234"),
        "recordingEntity": _number("8613900000001"),
        "mscIncomingTKGP": ("tkgpName", "TG-1001"),
        "mscOutgoingTKGP": ("tkgpName", "TG-2002"),
        "location": place,
        "changeOfLocation": [{"location": place, "changeTime": _moment("260105100020")}],
        "basicService": ("teleservice", b"\x11"),
        "supplServicesUsed": [{"ssCode": b"\x11", "ssTime": _moment("260105100000")}],
        "msClassmark": b"\x33\x19\x81",
        "seizureTime": _moment("260105095950"),
        "answerTime": _moment("260105100000"),
        "releaseTime": _moment("260105100101"),
        "callDuration": 61,
        "radioChanRequested": "fullRateChannel",
        "radioChanUsed": "fullRate",
        "causeForTerm": 0,
        "diagnostics": ("gsm0408Cause", 16),
        "callReference": b"\0\0\0\1",
        "serviceKey": 17,
        "networkCallReference": b"\1\2\3\4\5",
        "mSCAddress": _number("8613900000001"),
        "numberOfDPEncountered": 3,
        "freeFormatData": bytes(20),
        "systemType": "gERAN",
        "rateIndication": b"\1",
    }
    return bytes(CDR.CSChargingDataTypes.CSRecord.to_ber(("moCallRecord", fields)))


def a_file(records: list[bytes]) -> bytes:
    """Put records into a file of TS 32.297."""
    body = b"".join(len(each).to_bytes(2) + b"\xc1\x21" + each for each in records)
    head = bytes([0xC1, 0xC1]) + bytes(8) + len(records).to_bytes(4) + (1).to_bytes(4) + bytes(26)
    return (52 + len(body)).to_bytes(4) + (52).to_bytes(4) + head + body


def best(work: Callable[[], int], seconds: float) -> float:
    """Give records a second of CPU time: what else runs on the machine is no part of it."""
    most, until = 0.0, time.perf_counter() + seconds
    while most == 0.0 or time.perf_counter() < until:
        began = time.process_time()
        done = work()
        most = max(most, done / max(time.process_time() - began, 1e-9))
    return most


def decoding(records: int, seconds: float) -> tuple[float, float]:
    """Give records a second: ours, and pycrate's on the same records."""
    call = a_call()
    content = a_file([call] * records)
    reader = RecordReader(read_format(PAGE).wanted(), (), framed=True)
    theirs = CDR.CSChargingDataTypes.CSRecord

    def by_pycrate() -> int:
        for _ in range(max(1, records // 50)):
            theirs.from_ber(call)
        return max(1, records // 50)

    return best(lambda: sum(1 for _ in reader.rows(content)), seconds), best(by_pycrate, seconds)


def joining(parts: int, seconds: float) -> float:
    """Give parts a second that are joined to calls of four, from two files, each in one commit of a plant's ledger."""
    rows = [
        KeyedRecord(
            at.to_bytes(16),
            DetailRecord(
                "msisdn:8613800138000", "voice", 1_800_000 * (at % PARTS), 1_800, "", "", "", (), RecordPlace(at, b""),
                CallPart((at // PARTS).to_bytes(16), at % PARTS + 1, at % PARTS < PARTS - 1),
            ),
        )
        for at in range(parts)
    ]  # fmt: skip

    def once() -> int:
        with tempfile.TemporaryDirectory() as folder:
            base = PlantBase(Path(folder) / "ledger.sqlite")
            book, done = PartBook(base), 0
            assembler = CallAssembler(book)
            for number, mine in enumerate((rows[::2], rows[1::2]), 1):
                made = assembler.take(mine, str(number), number, RULE, 0)
                with base.commit():
                    book.keep(made.parts)
                done += len(made.uses)
            base.close()
        if done != len(rows) // PARTS:
            raise SystemExit(f"{done} calls were made of {len(rows)} parts")
        return len(rows)

    return best(once, seconds)


def main() -> None:
    """Print what was measured, and the file that the reader came from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int)
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    ours, theirs = decoding(arguments.records, arguments.seconds)
    told = {
        "file": ber.__file__,
        "ours": ours,
        "theirs": theirs,
        "joined": joining(arguments.records // PARTS * PARTS, arguments.seconds),
    }
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
