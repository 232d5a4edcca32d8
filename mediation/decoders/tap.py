"""Files of roaming partners, TAP 3 (GSMA TD.57), releases 3.10 to 3.12: a batch of call events in BER.

Every tag of TAP is of the application class and means one thing wherever it stands, so a field is named by itself. Of a
field that an event has several times, such as a charge for each of several items, the first is given. A time is
local, and a code in it says by which offset; the offsets stand once in the batch.
"""

from collections.abc import Iterator
from typing import Final, final

from mediation.decoders import ber
from mediation.decoders.ber import BadBer, BerField, BerItem, BerTable, element, number_of, read_fields, tag_of
from mediation.decoders.bertables import KINDS
from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, FoundRow, RecordPlace, UnreadRecord, UnusableFile

EVENT, USE, USED = "event", "use", "used"
_MESSAGES: Final = frozenset(("21", "22"))
"""Teleservices of messages that are recorded as calls (GSMA TD.57, teleservice codes)."""
_APPLICATION: Final = 1
_BATCH, _NOTIFICATION, _EVENTS, _AUDIT = 1, 2, 3, 15
_SHOWN_OCTETS: Final = 16
_BATCH_FIELDS: Final = """
196 sender text
182 recipient text
109 fileSequenceNumber text
201 specificationVersionNumber int
189 releaseVersionNumber int
110 fileTypeIndicator text
210 tapCurrency text
244 tapDecimalPlaces int
"""
_FIELDS: Final = """
129 imsi bcd
152 msisdn bcd
407 calledNumber bcd
279 dialledDigits text
42 calledPlace text
46 calledRegion text
419 sMSDestinationNumber text
405 callingNumber bcd
425 sMSOriginator text
403 thirdPartyNumber bcd
90 destinationNetwork text
164 originatingNetwork text
223 totalCallEventDuration int
58 causeForTerm int
45 callReference octets
184 recEntityCode int
136 locationArea int
59 cellId int
195 servingNetwork text
128 imei bcd
218 teleServiceCode text
40 bearerServiceCode text
209 supplServiceCode text
208 supplServiceActionCode int
62 charge int
65 chargeableUnits int
68 chargedUnits int
66 chargedItem text
71 chargeType text
105 exchangeRateCode int
259 callTypeLevel1 int
255 callTypeLevel2 int
256 callTypeLevel3 int
261 accessPointNameNI text
262 accessPointNameOI text
72 chargingId int
166 partialTypeIndicator text
167 pdpAddress text
250 dataVolumeIncoming int
251 dataVolumeOutgoing int
287 chargedPartyIdentifier text
343 totalDataVolume int
416 totalTransactionDuration int
435 eventReference text
439 messagingEventService int
440 mobileSessionService int
444 nonChargedPartyNumber text
446 publicUserId text
445 nonChargedPublicUserId text
451 requestedNumber text
"""
_GROUPS: Final = (
    36, 37, 38, 39, 41, 57, 63, 64, 69, 70, 89, 96, 113, 114, 115, 116, 117, 118, 121, 123, 138, 147, 153, 156, 191,
    192, 193, 199, 206, 219, 254, 258, 286, 304, 309, 310, 324, 426, 427, 429, 430, 431, 436, 443, 448, 449, 450,
)  # fmt: skip
"""Elements that hold others."""
_TIMES: Final = """
44 callEventStartTimeStamp
74 chargingTimeStamp
88 depositTimeStamp
76 completionTimeStamp
133 latestCallTimeStamp
260 pDPContextStartTimestamp
300 orderPlacedTimeStamp
302 actualDeliveryTimeStamp
384 lCSRequestTimestamp
447 serviceStartTimestamp
"""
_OF_USE: Final = frozenset(
    ("teleServiceCode", "totalCallEventDuration", "dataVolumeIncoming", "dataVolumeOutgoing", "totalDataVolume")
)
"""From which is told what an event was."""
_LOCAL_TIME, _OFFSET_CODE, _OFFSETS, _OFFSET, _OFFSET_TEXT = 16, 232, 234, 233, 231
_COUNT: Final = 43
EVENTS: Final = {
    9: "mobileOriginatedCall",
    10: "mobileTerminatedCall",
    11: "supplServiceEvent",
    12: "serviceCentreUsage",
    14: "gprsCall",
    17: "contentTransaction",
    297: "locationService",
    433: "messagingEvent",
    434: "mobileSession",
}


def _lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line]


def tap_columns() -> frozenset[str]:
    """Give the fields that an event can have."""
    names = {name for _, name, _ in _lines(_FIELDS + _BATCH_FIELDS)}
    return frozenset({*names, *(name for _, name in _lines(_TIMES)), EVENT, USE, USED})


@final
class TapReader:
    """Reads such files for the fields that are wanted."""

    def __init__(self, wanted: frozenset[str]) -> None:
        events: BerTable = {}
        batch: BerTable = {}
        for number, name, kind in _lines(_FIELDS):
            if name in wanted or name in _OF_USE:
                events[tag_of(_APPLICATION, int(number))] = BerField(name, KINDS[kind])
        for group in _GROUPS:
            events[tag_of(_APPLICATION, group)] = BerField("", ber.GROUP, events)
        for number, name in _lines(_TIMES):
            if name in wanted:
                events[tag_of(_APPLICATION, int(number))] = BerField(name, ber.GROUP, _time_table(name))
        for number, name, kind in _lines(_BATCH_FIELDS):
            batch[tag_of(_APPLICATION, int(number))] = BerField(name, KINDS[kind])
        for group in (4, 5, 6):
            batch[tag_of(_APPLICATION, group)] = BerField("", ber.GROUP, batch)
        batch[tag_of(_APPLICATION, _OFFSETS)] = BerField("offsets", ber.LIST, _offset_table())
        batch[tag_of(_APPLICATION, _AUDIT)] = BerField("", ber.GROUP, _count_table())
        self._events = events
        self._batch = batch
        self._wanted = wanted
        self._times = [name for _, name in _lines(_TIMES) if name in wanted]

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each event. Raises `UnusableFile` before the first; a notification has no events."""
        batch, begin, end = self._open(content)
        offsets = {
            each.cells["code"]: each.cells["offset"]
            for each in batch.lists.get("offsets", [])
            if "code" in each.cells and "offset" in each.cells
        }
        shared = {name: text for name, text in batch.cells.items() if name in self._wanted}
        at = begin
        while at < end:
            tag, start, stop, after = element(content, at, end)
            place = RecordPlace(at, content[at:after])
            at = after
            if len(place.raw) > RAW_BYTES_MAX:
                why = f"it has {len(place.raw)} bytes, more than {RAW_BYTES_MAX}"
                yield UnreadRecord("RECORD_TOO_LARGE", why, RecordPlace(place.position, place.raw[:RAW_BYTES_MAX]))
                continue
            item = BerItem(place.position)
            try:
                read_fields(content, start, stop, self._events, item)
            except BadBer as bad:
                shown = content[bad.at : min(bad.at + _SHOWN_OCTETS, after)].hex()
                yield UnreadRecord("RECORD_MALFORMED", f"at byte {bad.at} stands {bad.why}: {shown}", place)
                continue
            number = number_of(tag)
            item.cells[EVENT] = EVENTS.get(number, f"tag {number}")
            self._time(item.cells, offsets)
            item.cells[USE], item.cells[USED] = _use(item.cells)
            yield {**shared, **item.cells}, place

    def _time(self, cells: dict[str, str], offsets: dict[str, str]) -> None:
        for name in self._times:
            code = cells.pop(f"{name}.code", "")
            local = cells.get(name)
            if local is not None:
                # Without an offset it is no moment: what reads it says so.
                cells[name] = local + offsets.get(code, "")

    def _open(self, content: bytes) -> tuple[BerItem, int, int]:
        """Read what the batch says, and where its events are. Raises `UnusableFile`."""
        batch = BerItem(0)
        try:
            tag, start, stop, after = element(content, 0, len(content)) if content else (0, 0, 0, 0)
            if tag not in (tag_of(_APPLICATION, _BATCH), tag_of(_APPLICATION, _NOTIFICATION)):
                raise UnusableFile(NOT_WHOLE, "it does not begin as a file of TAP 3 does")
            if content[after:].strip(b"\0\xff"):
                raise UnusableFile(NOT_WHOLE, f"behind its end, at byte {after}, stands something else")
            read_fields(content, start, stop, self._batch, batch)
            notice, begin, end, events = tag == tag_of(_APPLICATION, _NOTIFICATION), 0, 0, 0
            while start < stop:
                tag, inner, last, start = element(content, start, stop)
                if tag == tag_of(_APPLICATION, _EVENTS):
                    begin, end, events = inner, last, _count(content, inner, last)
        except BadBer as bad:
            raise UnusableFile(NOT_WHOLE, f"at byte {bad.at} stands {bad.why}: the file was cut off") from None
        if batch.cells.get("specificationVersionNumber", "3") != "3" or not (begin or notice):
            # Files of other kinds of the same makers begin alike (NRTRDE, GSMA TD.35).
            raise UnusableFile(NOT_WHOLE, "it is no batch of TAP 3: that has version 3 and a list of call events")
        told = batch.cells.pop("count", None)
        if events and told is None:
            raise UnusableFile(NOT_WHOLE, "it does not say how many events it has")
        if told is not None and int(told) != events:
            raise UnusableFile(NOT_WHOLE, f"it counts {told} events and has {events}")
        return batch, begin, end


def _use(cells: dict[str, str]) -> tuple[str, str]:
    """Give what an event was (call, message, data, other), and how much: seconds, 1, octets."""
    event = cells[EVENT]
    if event in ("mobileOriginatedCall", "mobileTerminatedCall"):
        if cells.get("teleServiceCode") in _MESSAGES:
            return "message", "1"
        return "call", cells.get("totalCallEventDuration", "")
    if event == "gprsCall":
        volumes = [cells.get(name, "0") for name in ("dataVolumeIncoming", "dataVolumeOutgoing")]
        # One that is negative stands as it is: what reads it says so.
        return "data", next((text for text in volumes if text[0] == "-"), str(sum(map(int, volumes))))
    if event == "messagingEvent":
        return "message", "1"
    return "other", cells.get("totalDataVolume", "")


def _count(content: bytes, at: int, end: int) -> int:
    events = 0
    while at < end:
        _, _, _, at = element(content, at, end)
        events += 1
    return events


def _time_table(name: str) -> BerTable:
    return {
        tag_of(_APPLICATION, _LOCAL_TIME): BerField(name, ber.TEXT),
        tag_of(_APPLICATION, _OFFSET_CODE): BerField(f"{name}.code", ber.WHOLE),
    }


def _offset_table() -> BerTable:
    return {
        tag_of(_APPLICATION, _OFFSET_CODE): BerField("code", ber.WHOLE),
        tag_of(_APPLICATION, _OFFSET_TEXT): BerField("offset", ber.TEXT),
    }


def _count_table() -> BerTable:
    return {tag_of(_APPLICATION, _COUNT): BerField("count", ber.WHOLE)}
