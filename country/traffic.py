"""A day of honest traffic, seeded and shaped like real networks; vectors of numpy, then one record an event.

Voice lengths are log-normal, data volumes heavy-tailed (Pareto, bounded), hours follow a daily curve with a noon and an
evening peak, a few people make most of the traffic, roamers report from where they are. No money is computed here.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from country import offers, reference
from country.population import BROADBAND, FIXED, Subscriber
from country.usage_file import UsageRecord

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# Busy-hour curve of a mobile network, share of each hour in per mille: quiet at four, peaks before noon and at eight.
HOUR_WEIGHTS = (12, 7, 5, 4, 4, 7, 16, 34, 54, 64, 66, 64, 58, 50, 52, 55, 58, 62, 66, 70, 72, 62, 40, 18)
VOICE_SECONDS_MAX = 4 * 3_600
DATA_BYTES_MIN, DATA_BYTES_MAX = 20_000, 2_000_000_000
EMERGENCY_AND_SERVICE = ("10086", "10010", "10000", "12315")
ABROAD = ("85223456789", "886223456789", "81312345678", "14155550123", "442079460018")


class Events(Struct, frozen=True):
    """Columns of the day, in order of time."""

    subscriber: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    service: list[str]
    quantity: NDArray[np.int64]


def draw(people: Sequence[Subscriber], events: int, rng: np.random.Generator, day_ms: int) -> Events:
    """Draw who does what when, and how much of it: `events` rows in order of time.

    The day begins at `day_ms`, UTC; the same state of `rng` draws the same.
    """
    activity = rng.lognormal(0.0, 1.0, len(people))
    who = rng.choice(len(people), events, p=activity / activity.sum())
    hours = np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS)
    offset_ms = rng.choice(24, events, p=hours) * HOUR_MS + rng.integers(0, HOUR_MS, events)
    who = who[np.argsort(offset_ms, kind="stable")]
    time_ms = day_ms + np.sort(offset_ms, kind="stable")
    dice = rng.random(events)
    services = [_service(people[person].kind, die) for person, die in zip(who.tolist(), dice.tolist(), strict=True)]
    seconds = np.clip(rng.lognormal(4.0, 1.2, events), 1, VOICE_SECONDS_MAX).astype(np.int64)
    volume = np.clip((rng.pareto(1.15, events) + 1) * DATA_BYTES_MIN * 4, DATA_BYTES_MIN, DATA_BYTES_MAX).astype(
        np.int64
    )
    code = np.array([_UNIT[service] for service in services])
    quantity = np.where(code == 0, seconds, np.where(code == 1, volume, 1))
    return Events(who, time_ms, services, quantity)


_UNIT = {offers.VOICE: 0, offers.FIXED: 0, offers.DATA: 1, offers.BROADBAND: 1, offers.SMS: 2}


def _service(kind: str, die: float) -> str:
    if kind == BROADBAND:
        return offers.BROADBAND
    if kind == FIXED:
        return offers.FIXED
    return offers.VOICE if die < 0.38 else offers.SMS if die < 0.50 else offers.DATA


def records(
    people: Sequence[Subscriber], events: Events, rng: np.random.Generator, key_prefix: str
) -> list[UsageRecord]:
    """Turn the columns into records with request keys, called parties, places and channels, in order of time.

    Keys are `key_prefix` and the number of the row.
    """
    callable_people = [person for person in people if person.kind != BROADBAND]
    count = len(events.service)
    picks = rng.integers(0, len(callable_people), count).tolist()
    dice = rng.random(count).tolist()
    channel_dice = rng.random(count).tolist()
    made: list[UsageRecord] = []
    columns = zip(
        events.subscriber.tolist(), events.time_ms.tolist(), events.service, events.quantity.tolist(), strict=True
    )
    for number, (who, time_ms, service, quantity) in enumerate(columns):
        person = people[who]
        other = ""
        if service in (offers.VOICE, offers.SMS, offers.FIXED):
            other = _other_party(person, callable_people[picks[number]], service, dice[number])
        channel, partner = _channel(channel_dice[number])
        made.append(
            UsageRecord(
                f"{key_prefix}-{number:08d}",
                person.identity,
                service,
                time_ms,
                quantity,
                channel,
                other,
                person.away,
                partner,
            )
        )
    return made


def _other_party(person: Subscriber, someone: Subscriber, service: str, die: float) -> str:
    if person.family and die < 0.25:
        return person.family[0]
    if service != offers.SMS and die > 0.98:
        return ABROAD[int(die * 10_000) % len(ABROAD)]
    if die > 0.96:
        return EMERGENCY_AND_SERVICE[int(die * 10_000) % len(EMERGENCY_AND_SERVICE)]
    return someone.identity


def _channel(die: float) -> tuple[str, str]:
    if die < 0.94:
        return reference.FRONT, ""
    if die < 0.97:
        return reference.PARTNER, reference.ACTIVE_PARTNERS[int(die * 10_000) % len(reference.ACTIVE_PARTNERS)]
    return reference.POS, ""
