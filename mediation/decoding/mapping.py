"""The fields of a switch's record → a usage record, by the rules of the format."""

from msgspec.structs import replace

from charging.base.bounds import IDENTITY_CHARS_MAX, QUANTITY_DEFAULT
from charging.base.fieldtypes import ATTRIBUTES
from charging.base.names import is_place, is_plain, is_service
from charging.base.party import party
from charging.errors import Invalid
from mediation.decoding.layouts import Cells
from mediation.duplicates.keys import key_of
from mediation.formats.format import FieldRule, Format
from mediation.formats.values import BadText, FieldValue, NumberValue, whole
from mediation.records import CallPart, DetailRecord, DroppedRecord, RecordPlace, UnreadRecord

SHOWN_CHARS_MAX = 40
START_MS_MAX = 253_402_300_799_999
"""End of the year 9999, UTC: no calendar goes further."""


class Mapper:
    """Makes usage records by one format."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._drop = [(rule.column, frozenset(rule.among), rule.why) for rule in form.drop]
        self._attributes = sorted(form.attributes.items())
        other = form.other_party
        self.country = form.dialled_in() if other is not None and not isinstance(other.read, NumberValue) else ""
        """Where other parties were dialled that stand as they were; "" = nobody asks."""
        self._more = frozenset(form.parts.more.among) if form.parts is not None else frozenset()

    def record(self, cells: Cells, place: RecordPlace) -> DetailRecord | DroppedRecord | UnreadRecord:
        """Make the record, or say why there is none."""
        form = self._form
        for column, among, why in self._drop:
            if cells.get(column, "").strip() in among:
                return DroppedRecord(why, place)
        try:
            record = DetailRecord(
                str(_value("identity", form.identity, cells)),
                str(_value("service", form.service, cells)),
                int(_value("start", form.start, cells)),
                int(_value("quantity", form.quantity, cells)),
                _text("other_party", form.other_party, cells),
                _text("visited", form.visited, cells),
                _text("partner", form.partner, cells),
                tuple((name, _text(name, rule, cells)) for name, rule in self._attributes),
                place,
            )
            if form.parts is not None or form.alike is not None:
                record = replace(record, part=self._part(record, cells), alike=self._alike(cells))
            _check(record, self.country)
            return record
        except BadText as bad:
            return UnreadRecord(bad.reason, bad.wanted, place)

    def _part(self, record: DetailRecord, cells: Cells) -> CallPart | None:
        """Say which part of a call it is. Raises `BadText`."""
        rule = self._form.parts
        if rule is None:
            return None
        more, text = cells.get(rule.more.column, "").strip() in self._more, cells.get(rule.number, "").strip()
        if not text and not more:
            return None
        try:
            number = whole(text)
        except BadText as bad:
            shown = text[:SHOWN_CHARS_MAX]
            raise BadText(f"parts.number: {shown!r} in column {rule.number} must be {bad.wanted}") from bad
        of = [cells.get(name, "").strip() for name in rule.of]
        if rule.starts == "call":
            of.append(str(record.start_ms))
        return CallPart(key_of(f"call of {self._form.format}", tuple(of)), number, more)

    def _alike(self, cells: Cells) -> bytes:
        rule = self._form.alike
        values = tuple(cells.get(name, "").strip() for name in rule.by) if rule is not None else ()
        # A field that is empty says nothing of whose call it is.
        return key_of("alike", values) if all(values) and values else b""


def _check(record: DetailRecord, country: str) -> None:
    """Hold a record to what the front door takes of any use: what it refused would harm those sent with it.

    `country` is where the other party, as it stands, was dialled; "" = it was read as a number, or nobody says.
    """
    check_service(record.service)
    check_visited(record.visited)
    if not 0 < record.start_ms <= START_MS_MAX:
        raise BadText("start: it is before 1970, or further ahead than any calendar")
    check_plain_party(record.other_party)
    if record.quantity > QUANTITY_DEFAULT:
        raise BadText(f"quantity: {record.quantity} is more than one use can have, {QUANTITY_DEFAULT}")
    check_attributes(dict(record.attributes))
    check_party(record.other_party, country)


def check_service(service: str) -> None:
    """Raise `BadText` when it is no code of a service."""
    if is_service(service) is None:
        raise BadText(f"service: {service[:SHOWN_CHARS_MAX]!r} is no code of a service, such as voice or data")


def check_visited(visited: str) -> None:
    """Raise `BadText` when it is no code of a place; "" = home."""
    if visited and is_place(visited) is None:
        raise BadText(f"visited: {visited[:SHOWN_CHARS_MAX]!r} is no code of a region or network")


def check_plain_party(other_party: str) -> None:
    """Raise `BadText` when it is no text of one line."""
    if len(other_party) > IDENTITY_CHARS_MAX or not is_plain(other_party):
        raise BadText(f"other_party: it has control characters, or more than {IDENTITY_CHARS_MAX}")


def check_party(other_party: str, country: str) -> None:
    """Raise `BadText` when it can't be read as it was dialled in a country; "" of either = nobody asks."""
    try:
        if other_party and country:
            party(other_party, country)
    except Invalid as fault:
        raise BadText(str(fault)) from fault


def check_attributes(attributes: dict[str, str]) -> None:
    """Raise `BadText` when a use can't have them."""
    try:
        ATTRIBUTES.read(attributes, "attributes")
    except Invalid as fault:
        raise BadText(str(fault)) from fault


def _text(name: str, rule: FieldRule | None, cells: Cells) -> str:
    return str(_value(name, rule, cells)) if rule is not None else ""


def _value(name: str, rule: FieldRule, cells: Cells) -> str | int:
    """Give a field's value. Raises `BadText` with a sentence that names the column."""
    if rule.value:
        return rule.value
    if rule.plus:
        given = [column for column in (rule.column, *rule.plus) if cells.get(column, "").strip()]
        if given:
            return sum(int(_read(name, rule.read, column, cells[column])) for column in given)
    column, text = rule.column, cells.get(rule.column)
    if text is None or not text.strip():
        for column in rule.others:
            text = cells.get(column)
            if text is not None and text.strip():
                break
        else:
            if rule.otherwise is not None:
                return _value(name, rule.otherwise, cells)
            if rule.empty is not None:
                return rule.empty
            raise BadText(f"{name}: column {' or '.join((rule.column, *rule.others))} is empty")
    value = _read(name, rule.read, column, text)
    return _span(name, rule, int(value), cells) if rule.to else value


def _span(name: str, rule: FieldRule, start_ms: int, cells: Cells) -> int:
    """Give the seconds to the time at which it ends."""
    text = cells.get(rule.to, "")
    if not text.strip():
        raise BadText(f"{name}: column {rule.to} is empty")
    length_ms = int(_read(name, rule.read, rule.to, text)) - start_ms
    if length_ms < 0:
        raise BadText(f"{name}: {text.strip()[:SHOWN_CHARS_MAX]!r} in column {rule.to} is before it began")
    return -(-length_ms // 1_000)


def _read(name: str, reader: FieldValue, column: str, text: str) -> str | int:
    try:
        return reader.read(text)
    except BadText as bad:
        shown = f"{text.strip()[:SHOWN_CHARS_MAX]!r} in column {column}"
        raise BadText(f"{name}: {shown} must be {bad.wanted}", bad.reason) from bad
