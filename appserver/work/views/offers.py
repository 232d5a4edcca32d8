"""What is sold to a subscriber, by pages: what each offering says, in the caller's language, and who may have it."""

from collections import OrderedDict

from onetier.v1 import service_desk_pb2 as desk

from appserver.batches.pending import Pending
from appserver.reading.checks import field_fault
from appserver.reference import DomainReference
from appserver.replies import offers as replies
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.eligibility import refusal_of
from appserver.work.views.pages import cursor_after, name_in
from charging.base.tongue import Tongue
from charging.catalogue.offer_sheet import sheet_of
from charging.plans.plan import Plan
from charging.wire import BusinessData
from runtime.languages import tongue_for

SHELVES_MAX = 64
"""Catalogues in a language whose offerings are kept as they were told."""

Key = tuple[str, int, int, int, str]


class Offers:
    """Answers the query "offerings"."""

    def __init__(self, pending: Pending, time: BatchTime) -> None:
        self._pending = pending
        self._time = time
        self._shelves: OrderedDict[Key, dict[str, desk.OfferingView]] = OrderedDict()

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Answer with a page, by id. Raises `Invalid` OFFERING_UNKNOWN, PAGE_FOREIGN, PAGE_MALFORMED."""
        now_ms, query = self._time.now_ms, item.query
        plan = reference.timeline.plan_at(now_ms)
        ids = _wanted(plan, query.narrowing.offerings)
        last = name_in(query, reference.domain)
        left = [each for each in ids if each > last]
        page, account, contract = left[: query.lines_max], data.account, data.contract
        refusals = [refusal_of(each, item, account, contract, reference, now_ms) for each in page]
        reply = self._pending.reply(item)
        if reply is None:
            return
        say = tongue_for(item.language)
        held = {each.offering for each in plan.valid_subscriptions(contract, now_ms)}
        view = reply.offerings
        view.currency, view.catalogue_version = plan.currency, plan.version
        for each, refusal in zip(page, refusals, strict=True):
            row = view.offerings.add()
            row.CopyFrom(self._told(plan, each, say))
            replies.fill_eligibility(row, refusal, say, subscribed=each in held)
        if len(left) > len(page):
            view.next_cursor = cursor_after(page[-1], 0, query, reference.domain)
        view.SetInParent()

    def _told(self, plan: Plan, offering: str, say: Tongue) -> desk.OfferingView:
        """Give what an offering says to everybody: made once for each version of the catalogue."""
        key = (plan.domain, plan.version, plan.regional_version, plan.from_ms, say.code)
        shelf = self._shelves.get(key)
        if shelf is None:
            while len(self._shelves) >= SHELVES_MAX:
                self._shelves.popitem(last=False)
            shelf = self._shelves[key] = {}
        found = shelf.get(offering)
        if found is None:
            found = shelf[offering] = desk.OfferingView()
            origin = plan.merged.offerings[offering].origin
            replies.fill_offering(found, sheet_of(plan.merged, offering, plan.domain, say), origin, say)
        return found


def _wanted(plan: Plan, named: tuple[str, ...]) -> list[str]:
    """Give the ids in order: of all that is sold now, or those that are named, sold now or not."""
    if not named:
        return sorted(plan.offerings)
    unknown = sorted(set(named) - set(plan.merged.offerings))
    if unknown:
        text = "ids of offerings of the catalogue"
        told = f"there is no offering {unknown[0]!r} here: give {text}"
        raise field_fault("OFFERING_UNKNOWN", "offerings", told, text)
    return sorted(set(named))
