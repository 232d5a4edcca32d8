"""`NumberService` over gRPC: the numbers of a region that rest, a page at a time.

The platform keeps nothing of it: some slot of the region reads the list. Who may ask is asked of the region's newest
grants.
"""

import grpc
from onetier.v1 import numbers_pb2 as pb
from onetier.v1.numbers_pb2_grpc import NumberServiceServicer

from appserver.billing.asking import Question
from appserver.billing.regions import RegionDoor, check_caller, check_domain
from appserver.billing.telling import expect
from appserver.reading.cursors import page_foreign, read_cursor, write_cursor
from charging.wire import FetchResting, RestingRows

READ = "resting_numbers"
"""What grants call it."""
ROWS_DEFAULT = 100
SLOT = 0
"""That is asked: whichever it is, its owner reads the list of the region."""


class RestingDesk(RegionDoor, NumberServiceServicer):
    """Serves operators."""

    async def ListRestingNumbers(
        self, request: pb.ListRestingNumbersRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListRestingNumbersResponse:
        """Tell a page of the numbers of a region that rest.

        Faults: DOMAIN_UNKNOWN, PAGE_MALFORMED, PAGE_FOREIGN, TEXT_TOO_LONG, TEXT_MALFORMED, and those of who may ask.
        """
        check_caller(request)
        domain = request.domain
        check_domain(domain)
        bucket, after = _place(request)
        await self._permitted(READ, request, context)
        slot = f"{domain}/{SLOT}"
        ask = FetchResting(slot, request.rows_max or ROWS_DEFAULT, bucket, after)
        page = expect(RestingRows, await self._ask(Question(f"domain:{slot}", ask), context))
        return _told(page, request)


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
