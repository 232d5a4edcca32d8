"""Flow records of routers, as a collector stored their datagrams one after the other: NetFlow 5 and 9, and IPFIX.

NetFlow 9 (RFC 3954) and IPFIX (RFC 7011) say by templates what their records hold; a template that comes later in the
file serves for records before it, since datagrams arrive in any order. Fields have the names of IANA's registry of
information elements. When a flow began and ended, in milliseconds of UTC, is told for all versions.
"""

from collections.abc import Iterator
from typing import Final, final

from mediation.records import NOT_WHOLE, FoundRow, RecordPlace, UnreadRecord, UnusableFile

NETFLOW_5, NETFLOW_9, IPFIX = 5, 9, 10
_HEADER_OCTETS: Final = {NETFLOW_5: 24, NETFLOW_9: 20, IPFIX: 16}
_FLOW_OCTETS: Final = 48
_TEMPLATES: Final = {(NETFLOW_9, 0), (IPFIX, 2)}
_OPTIONS: Final = {(NETFLOW_9, 1), (IPFIX, 3)}
_DATA_MIN: Final = 256
_COUNT: Final = 1 << 32
"""Milliseconds after which a router's count begins anew."""
_VARIABLE: Final = 0xFFFF
_ENTERPRISE: Final = 0x8000
_WHOLE_OCTETS_MAX: Final = 8
_ADDRESSES: Final = frozenset((8, 12, 15, 18, 27, 28, 62, 63, 130, 131, 225, 226, 281, 282))
_TEXTS: Final = frozenset((82, 83, 94, 96, 371))
START, END = "flowStartMilliseconds", "flowEndMilliseconds"
BOOTED = "systemInitTimeMilliseconds"
DOMAIN = "observationDomainId"
VERSION = "version"
NAMES: Final = {
    1: "octetDeltaCount",
    2: "packetDeltaCount",
    4: "protocolIdentifier",
    5: "ipClassOfService",
    6: "tcpControlBits",
    7: "sourceTransportPort",
    8: "sourceIPv4Address",
    9: "sourceIPv4PrefixLength",
    10: "ingressInterface",
    11: "destinationTransportPort",
    12: "destinationIPv4Address",
    13: "destinationIPv4PrefixLength",
    14: "egressInterface",
    15: "ipNextHopIPv4Address",
    16: "bgpSourceAsNumber",
    17: "bgpDestinationAsNumber",
    21: "flowEndSysUpTime",
    22: "flowStartSysUpTime",
    23: "postOctetDeltaCount",
    24: "postPacketDeltaCount",
    27: "sourceIPv6Address",
    28: "destinationIPv6Address",
    56: "sourceMacAddress",
    58: "vlanId",
    61: "flowDirection",
    80: "destinationMacAddress",
    82: "interfaceName",
    85: "octetTotalCount",
    86: "packetTotalCount",
    95: "applicationId",
    96: "applicationName",
    136: "flowEndReason",
    148: "flowId",
    150: "flowStartSeconds",
    151: "flowEndSeconds",
    152: START,
    153: END,
    160: BOOTED,
    225: "postNATSourceIPv4Address",
    226: "postNATDestinationIPv4Address",
    227: "postNAPTSourceTransportPort",
    231: "initiatorOctets",
    232: "responderOctets",
    371: "userName",
}
_FIVE: Final = ((8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (0, 1),
                (6, 1), (4, 1), (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (0, 2))  # fmt: skip
"""Fields of NetFlow 5, which has no templates: element (0 = padding), octets."""


@final
class TemplateField:
    """A field of a template."""

    __slots__ = ("kind", "name", "octets")

    def __init__(self, element: int, octets: int, enterprise: int) -> None:
        self.octets = octets
        self.name = NAMES.get(element, "") if not enterprise else ""
        if not self.name and element:
            self.name = f"element-{enterprise}-{element}" if enterprise else f"element-{element}"
        self.kind = 1 if element in _ADDRESSES else 2 if element in _TEXTS else 0
        if enterprise:
            self.kind = 3


Template = list[TemplateField]
Templates = dict[tuple[int, int], Template]
"""By domain and number of the template."""


@final
class FlowMessage:
    """One datagram of a file."""

    __slots__ = ("at", "begin", "domain", "end", "exported_ms", "uptime_ms", "version")

    def __init__(self, at: int, begin: int, end: int, version: int) -> None:
        self.at = at
        self.begin = begin
        self.end = end
        self.version = version
        self.domain = 0
        self.exported_ms = 0
        """When it was sent, UTC."""
        self.uptime_ms = -1
        """How long the router had been up then, by which flows are timed; -1 = nobody says."""


@final
class FlowReader:
    """Reads such files."""

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each flow. Raises `UnusableFile` FILE_NOT_WHOLE before the first."""
        messages = list(datagrams(content))
        ahead: Templates = {}
        for message in messages:
            for number, begin, end in _sets(content, message):
                if (message.version, number) in _TEMPLATES:
                    for key, template in _templates(content, begin, end, message):
                        ahead.setdefault(key, template)
        known = dict(ahead)
        options: Templates = {}
        booted: dict[int, int] = {}
        for message in messages:
            if message.version == IPFIX and message.domain in booted:
                message.uptime_ms = (message.exported_ms - booted[message.domain]) % _COUNT
            if message.version == NETFLOW_5:
                yield from _flows(content, message.begin, message.end, _five(), message)
                continue
            for number, begin, end in _sets(content, message):
                if (message.version, number) in _TEMPLATES:
                    for key, template in _templates(content, begin, end, message):
                        known[key] = template
                        options.pop(key, None)
                elif (message.version, number) in _OPTIONS:
                    options.update(_options(content, begin, end, message))
                elif (message.domain, number) in options:
                    if (since_ms := _booted(content, begin, end, options[message.domain, number])) is not None:
                        booted[message.domain] = since_ms
                        message.uptime_ms = (message.exported_ms - since_ms) % _COUNT
                elif number >= _DATA_MIN:
                    yield from self._data(content, begin, end, known.get((message.domain, number)), message)

    def _data(
        self, content: bytes, begin: int, end: int, template: Template | None, message: FlowMessage
    ) -> Iterator[FoundRow]:
        if template is None:
            why = "nothing in the file says by what template its flows are read"
            yield UnreadRecord("RECORD_MALFORMED", why, RecordPlace(begin, content[begin:end]))
        else:
            yield from _flows(content, begin, end, template, message)


def datagrams(content: bytes) -> Iterator[FlowMessage]:
    """Give the datagrams of a file. Raises `UnusableFile` where one is none, or cut off."""
    size, at = len(content), 0
    while at < size:
        version = _whole(content, at, 2)
        head = _HEADER_OCTETS.get(version)
        if head is None:
            raise UnusableFile(
                NOT_WHOLE, f"at byte {at} begins no datagram of NetFlow 5, 9 or IPFIX: version {version}"
            )
        if version == NETFLOW_5:
            end = at + head + _whole(content, at + 2, 2) * _FLOW_OCTETS
        elif version == IPFIX:
            end = at + max(head, _whole(content, at + 2, 2))
        else:
            end = _end_of_nine(content, at + head)
        if end > size:
            raise UnusableFile(NOT_WHOLE, f"the datagram at byte {at} is cut off")
        message = FlowMessage(at, at + head, end, version)
        message.domain = _whole(content, at + head - 4, 4)
        if version == NETFLOW_5:
            message.domain = _whole(content, at + 20, 2)
        if version == IPFIX:
            message.exported_ms = _whole(content, at + 4, 4) * 1_000
        else:
            message.exported_ms, message.uptime_ms = _whole(content, at + 8, 4) * 1_000, _whole(content, at + 4, 4)
        yield message
        at = end


def _end_of_nine(content: bytes, at: int) -> int:
    """Find where a datagram of NetFlow 9 ends, which does not say it: no set has the number of a version."""
    while at + 4 <= len(content) and _whole(content, at, 2) not in _HEADER_OCTETS:
        at += max(4, _whole(content, at + 2, 2))
    return at if at >= len(content) or at + 4 <= len(content) else len(content) + 1


def _sets(content: bytes, message: FlowMessage) -> Iterator[tuple[int, int, int]]:
    at = message.begin
    while message.version != NETFLOW_5 and at + 4 <= message.end:
        octets = max(4, _whole(content, at + 2, 2))
        yield _whole(content, at, 2), at + 4, min(at + octets, message.end)
        at += octets


def _templates(content: bytes, at: int, end: int, message: FlowMessage) -> Iterator[tuple[tuple[int, int], Template]]:
    while at + 4 <= end:
        number, count = _whole(content, at, 2), _whole(content, at + 2, 2)
        at += 4
        template: Template = []
        for _ in range(count):
            if at + 4 > end:
                return
            field, at = _field(content, at, message.version)
            if field.octets:
                # One without octets says nothing, and thousands of them would be looked at for each octet of a flow.
                template.append(field)
        if number >= _DATA_MIN and template:
            yield (message.domain, number), template


def _options(content: bytes, at: int, end: int, message: FlowMessage) -> Iterator[tuple[tuple[int, int], Template]]:
    """Give templates of what a router says of itself: their first fields say of which part of it."""
    while at + 6 <= end:
        number, first, second = (_whole(content, at + place, 2) for place in (0, 2, 4))
        at += 6
        template: Template = []
        for _ in range(first if message.version == IPFIX else (first + second) // 4):
            if at + 4 > end:
                return
            field, at = _field(content, at, message.version)
            template.append(field)
        if number >= _DATA_MIN:
            yield (message.domain, number), template


def _field(content: bytes, at: int, version: int) -> tuple[TemplateField, int]:
    """Read a field of a template; gives where the next one begins, too."""
    element, octets, enterprise = _whole(content, at, 2), _whole(content, at + 2, 2), 0
    at += 4
    if version == IPFIX and element & _ENTERPRISE:
        element, enterprise = element & ~_ENTERPRISE, _whole(content, at, 4)
        at += 4
    return TemplateField(element, octets, enterprise), at


def _booted(content: bytes, at: int, end: int, template: Template) -> int | None:
    """Give when a router says that it was started, for which IPFIX has no other place; None = it does not."""
    for field in template:
        if field.octets == _VARIABLE or at + field.octets > end:
            return None
        if field.name == BOOTED:
            return _whole(content, at, field.octets)
        at += field.octets
    return None


def _five() -> Template:
    return [TemplateField(element, octets, 0) for element, octets in _FIVE]


def _flows(content: bytes, at: int, end: int, template: Template, message: FlowMessage) -> Iterator[FoundRow]:
    """Read flows one after the other; what is shorter than a flow is padding."""
    shortest = sum([1 if field.octets == _VARIABLE else field.octets for field in template])
    shared = {VERSION: str(message.version), DOMAIN: str(message.domain)}
    while shortest and at + shortest <= end:
        begin = at
        cells = dict(shared)
        for field in template:
            octets = field.octets
            if octets == _VARIABLE:
                octets = content[at] if at < end else 0
                at += 1
                if octets == 0xFF:
                    octets = _whole(content, at, 2)
                    at += 2
            if at + octets > end:
                why = "a field of the flow reaches beyond what holds it"
                yield UnreadRecord("RECORD_MALFORMED", why, RecordPlace(begin, content[begin:end]))
                return
            if field.name:
                cells.setdefault(field.name, _text(field.kind, content[at : at + octets]))
            at += octets
        _moments(cells, message)
        yield cells, RecordPlace(begin, content[begin:at])


def _moments(cells: dict[str, str], message: FlowMessage) -> None:
    for milliseconds, seconds, uptime in (
        (START, "flowStartSeconds", "flowStartSysUpTime"),
        (END, "flowEndSeconds", "flowEndSysUpTime"),
    ):
        if milliseconds not in cells:
            if seconds in cells:
                cells[milliseconds] = f"{cells[seconds]}000"
            elif message.uptime_ms >= 0 and cells.get(uptime, "").isdecimal():
                # The router's count begins anew every 49.7 days, maybe between the flow and its export.
                ago = (message.uptime_ms - int(cells[uptime]) + _COUNT // 2) % _COUNT - _COUNT // 2
                cells[milliseconds] = str(message.exported_ms - ago)


def _text(kind: int, octets: bytes) -> str:
    if kind == 1 and len(octets) == 4:
        return ".".join([str(octet) for octet in octets])
    if kind == 1 and len(octets) == 16:
        digits = octets.hex()
        return ":".join([digits[at : at + 4] for at in range(0, 32, 4)])
    if kind == 2:
        return octets.rstrip(b"\0").decode("utf-8", "replace")
    if kind == 0 and len(octets) <= _WHOLE_OCTETS_MAX:
        return str(int.from_bytes(octets, "big"))
    return octets.hex()


def _whole(content: bytes, at: int, octets: int) -> int:
    return int.from_bytes(content[at : at + octets], "big")
