"""Who should own which slot: rendezvous hashing over the live members, bounded so that all get as many, or one more.

Every member computes the same from the same view. Views may differ for a while; that costs a hand-over, never a
balance.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from directory.members import Member


def assign(slots: Iterable[str], members: Mapping[str, Member]) -> dict[str, str]:
    """Give the server id that should own each slot ("GD/0"); slots that nobody may own are left out.

    A member that drains owns nothing; one that names domains owns slots of these alone. The order of the arguments does
    not matter.
    """
    willing = {server_id: member for server_id, member in members.items() if not member.draining}
    names = sorted(slots)
    if not willing:
        return {}
    share, one_more = divmod(len(names), len(willing))
    load = dict.fromkeys(willing, 0)
    assigned: dict[str, str] = {}
    # Slots in one order, members in each slot's own: the member that weighs most takes it while he has room. So a
    # member that comes or goes moves his own slots, and few of the others'.
    for name in names:
        domain = name.rpartition("/")[0]
        able = [sid for sid, member in willing.items() if not member.domains or domain in member.domains]
        able.sort(key=lambda server_id: _weight(server_id, name), reverse=True)
        if able:
            bound = share + (one_more > 0)
            # Those who serve some domains only may leave more to the others: the least loaded of them takes it.
            best = next((sid for sid in able if load[sid] < bound), min(able, key=load.__getitem__))
            one_more -= load[best] == share
            load[best] += 1
            assigned[name] = best
    return assigned


def _weight(server_id: str, slot: str) -> bytes:
    return blake2b(f"{server_id}\0{slot}".encode(), digest_size=8).digest()
