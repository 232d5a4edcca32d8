"""Bounds of a domain server, each named with its unit."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """What one slot may hold, and when it writes things down."""

    group_entries_max: int = 2_000
    """At most `keys.POSITIONS_PER_GROUP`."""
    group_bytes_max: int = 1_000_000
    """Of packed entries, before compression: a group that reaches it takes no more."""
    queue_entries_max: int = 20_000
    """Commands waiting in a slot; beyond it RESOURCE_EXHAUSTED."""
    lane_entries_max: int = 10_000
    """Commands of one account waiting; beyond it RESOURCE_EXHAUSTED for this account only."""
    patient_max: int = 2_000
    """Commands of billing runs waiting in a slot; beyond it RESOURCE_EXHAUSTED."""
    run_percent: int = 10
    """Of the loop's time, for all that billing runs have closed in this process, while others change something."""
    reads_in_flight_max: int = 20_000
    """Requests of a slot that wait for the store."""
    segment_groups_max: int = 5_000
    """Groups after which a segment is sealed and the next one begun."""
    segment_bytes_max: int = 64_000_000
    """Bytes, as stored, after which it is."""
    snapshot_entries: int = 100_000
    """Journal entries after which accounts are written down and the checkpoint moves."""
    snapshot_interval_ms: int = 30_000
    """Time after which they are, when anything was journaled at all."""
    deltas_max: int = 24
    """Rounds whose changed accounts stay packed together; then those that changed in no later one are written alone."""
    delta_states_max: int = 2_000_000
    """States in all of them: so many accounts at most stay in memory for the deltas' sake, however long unused."""
    hot_accounts_max: int = 200_000
    """Accounts kept unpacked."""
    packed_accounts_max: int = 1_000_000
    """Accounts kept packed besides."""
    contracts_max: int = 200_000
    """Contracts kept in memory by a slot."""
    kept_entries_max: int = 20_000
    """Newest journal entries kept for repeats that come at once."""
    outcomes_keep_ms: int = 24 * 3_600_000
    """How long a request key is known."""
    journal_keep_ms: int = 92 * 86_400_000
    """How long journal segments stay; 0 = for ever. Never shorter than `outcomes_keep_ms`."""
    sweep_ms: int = 1_000
    """How often sessions past their validity are looked for."""
    store_patience_ms: int = 3_000
    """A commit without an answer for so long: waiting callers are told UNAVAILABLE, the commit goes on."""
    retry_ms: int = 200
    """What callers are told to wait when nothing better is known."""
