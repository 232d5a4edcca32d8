"""Quantities and moments as people read them; on the wire and with `--json` they stay in base units, UTC."""

from datetime import UTC, datetime

_BYTES = (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10))
_SECONDS = (("h", 3_600), ("min", 60))


def quantity(amount: int, unit: str) -> str:
    """Write base units: 65 seconds as "1 min 5 s", 1,610,612,736 bytes as "1.5 GB", events by their number."""
    if unit == "second":
        return _time(amount)
    if unit == "byte":
        return _volume(amount)
    return f"{amount:,}" if unit in ("", "event") else f"{amount:,} {unit}"


def _time(seconds: int) -> str:
    left, parts = abs(seconds), []
    for name, size in _SECONDS:
        if left >= size:
            parts.append(f"{left // size:,} {name}")
            left %= size
    if left or not parts:
        parts.append(f"{left} s")
    return ("-" if seconds < 0 else "") + " ".join(parts)


def _volume(count: int) -> str:
    for name, size in _BYTES:
        if abs(count) >= size:
            # Integers, so that what is told is never more than what there is.
            hundredths = abs(count) * 100 // size
            text = f"{hundredths // 100:,}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
            return f"{'-' if count < 0 else ''}{text} {name}"
    return f"{count:,} B"


def day(text: str) -> str:
    """Write a day of the contract, 20260105, as 2026-01-05; what is none stays."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


def moment(time_ms: int) -> str:
    """Tell a moment in UTC, to the second; "" = none."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if time_ms else ""
