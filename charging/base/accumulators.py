"""The keys of accumulators, written and read here alone.

    name@period                    counted for the account
    name|holder@period             counted for one of its identities
    name|holder|since@period       counted for one subscription, told from others by its beginning; holder may be empty

A "%", "|" or "@" inside of a part is written %25, %7C or %40, so no two keys that mean different things are equal,
whatever the names and identities are: `broadband:bj0012@adsl` holds counters of its own.
"""

from typing import NamedTuple


class KeyParts(NamedTuple):
    """What a key says."""

    name: str
    """Id of the accumulator or allowance, or what the compiler made of the ids of a price, a cap or a discount."""
    period: str
    """First local day, yyyymmdd, or "all". Periods of one counter sort as they follow each other."""
    holder: str = ""
    """The identity it is counted for; "" = all of the account."""
    since: str = ""
    """Beginning of the subscription it belongs to, milliseconds UTC; "" = of none."""


def key(name: str, period: str, holder: str = "", since: str = "") -> str:
    """Give the key of these parts."""
    return key_of_escaped(escaped(name), escaped(period), holder, since)


def key_of_escaped(name: str, period: str, holder: str = "", since: str = "") -> str:
    """Do the same for a name and a period that went through `escaped` once and for all."""
    if since:
        return f"{name}|{escaped(holder)}|{escaped(since)}@{period}"
    if holder:
        return f"{name}|{escaped(holder)}@{period}"
    return f"{name}@{period}"


def parts(key: str) -> KeyParts:
    """Read a key."""
    counter, _, period = key.partition("@")
    name, _, rest = counter.partition("|")
    holder, _, since = rest.partition("|")
    return KeyParts(_plain(name), _plain(period), _plain(holder), _plain(since))


def counter_of(key: str) -> str:
    """Give what the keys of one counter have in common over all its periods: everything before the "@"."""
    return key.partition("@")[0]


def same_counter(one: str, other: str) -> bool:
    """Say whether two keys count the same thing, each in a period of its own."""
    return counter_of(one) == counter_of(other)


def name_of(key: str) -> str:
    """Give the name alone, which is what thresholds watch."""
    return _plain(key.partition("@")[0].partition("|")[0])


def escaped(text: str) -> str:
    """Give a part as keys hold it."""
    if "%" in text or "|" in text or "@" in text:
        return text.replace("%", "%25").replace("|", "%7C").replace("@", "%40")
    return text


def _plain(text: str) -> str:
    if "%" in text:
        return text.replace("%7C", "|").replace("%40", "@").replace("%25", "%")
    return text
