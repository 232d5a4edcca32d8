"""`NumberService` over gRPC: the numbers of a region that rest, a page at a time.

The platform keeps nothing of it: some slot of the region reads the list. Who may ask is asked of the region's newest
grants.
"""

import grpc
from onetier.v1 import numbers_pb2 as pb
from onetier.v1.numbers_pb2_grpc import NumberServiceServicer

from appserver.billing.asking import PickLink, Question, ask_all
from appserver.billing.telling import expect
from appserver.reading.cursors import page_foreign, read_cursor, write_cursor
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.base.fieldtypes import PLAIN, refusal
from charging.base.names import is_code, is_plain
from charging.errors import NotFound
from charging.ledger.permission import Policy, names_another
from charging.wire import Answer, FetchReference, FetchResting, Reference, RestingRows
from runtime.principal import principal_of

READ = "resting_numbers"
"""What grants call it."""
ROWS_DEFAULT = 100
SLOT = 0
"""That is asked: whichever it is, its owner reads the list of the region."""


class RestingDesk(NumberServiceServicer):
    """Serves operators. `timeout_s` is for calls that name no deadline."""

    def __init__(self, pick: PickLink, timeout_s: float) -> None:
        self._pick = pick
        self._timeout_s = timeout_s

    async def ListRestingNumbers(
        self, request: pb.ListRestingNumbersRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListRestingNumbersResponse:
        """Tell a page of the numbers of a region that rest.

        Faults: DOMAIN_UNKNOWN, PAGE_MALFORMED, PAGE_FOREIGN, TEXT_TOO_LONG, TEXT_MALFORMED, and those of who may ask.
        """
        _check(request)
        domain = request.domain
        if is_code(domain) is None:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain[:40]!r}", facts={"domain": domain[:40]})
        bucket, after = _place(request)
        reference = expect(Reference, await self._ask(Question(f"domain:{domain}", FetchReference(domain)), context))
        principal = principal_of(context).name
        another = names_another(principal, request.actor)
        Policy(reference.grants).permit(principal, READ, request.channel, "", domain, another)
        slot = f"{domain}/{SLOT}"
        ask = FetchResting(slot, request.rows_max or ROWS_DEFAULT, bucket, after)
        page = expect(RestingRows, await self._ask(Question(f"domain:{slot}", ask), context))
        return _told(page, request)

    async def _ask(self, question: Question, context: grpc.aio.ServicerContext) -> Answer:
        left_s = context.time_remaining()
        (answer,) = await ask_all(self._pick, [question], self._timeout_s if left_s is None else left_s)
        return answer


def _check(request: pb.ListRestingNumbersRequest) -> None:
    for field, text, most in (("actor", request.actor, ACTOR_CHARS_MAX), ("channel", request.channel, CODE_CHARS_MAX)):
        if len(text) > most:
            raise refusal("TEXT_TOO_LONG", field, f"at most {most} characters")
        if not is_plain(text):
            raise refusal("TEXT_MALFORMED", field, PLAIN)


def _list_of(request: pb.ListRestingNumbersRequest) -> object:
    return READ, request.domain


def _place(request: pb.ListRestingNumbersRequest) -> tuple[int, str]:
    """Read partition and last number of the page before. Raises `Invalid` PAGE_MALFORMED, PAGE_FOREIGN."""
    match read_cursor(request.page_cursor, _list_of(request)):
        case None:
            return 0, ""
        case (str(after), bucket) if bucket >= 0:
            return bucket, after
    raise page_foreign()


def _told(page: RestingRows, request: pb.ListRestingNumbersRequest) -> pb.ListRestingNumbersResponse:
    told = pb.ListRestingNumbersResponse()
    for row in page.rows:
        told.numbers.add(
            number=row.number,
            account_id=row.account_id,
            since_ms=row.since_ms,
            rests_until_ms=row.rests_until_ms,
            kept_for=row.kept_for,
        )
    if page.next_bucket or page.next_after:
        told.next_cursor = write_cursor(page.next_after, page.next_bucket, _list_of(request))
    return told
