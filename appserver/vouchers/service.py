"""`VoucherService` over gRPC: batches of a slot, and their sheets.

The platform keeps nothing of it. Codes are made here, of the platform's key and of what was drawn for the batch, and
leave by `ExportVouchers` alone. Who may do what is asked here of the region's newest grants, and again by each owner.
"""

import secrets
from collections.abc import Callable, Sequence

from grpc.aio import ServicerContext
from onetier.v1 import vouchers_pb2 as pb
from onetier.v1.vouchers_pb2_grpc import VoucherServiceServicer

from appserver.billing.asking import PickLink, Question, ask_all
from appserver.billing.plans import Plans
from appserver.billing.regions import check_caller
from appserver.vouchers.owners import SheetOwners, check_slot
from appserver.vouchers.reading import (
    BatchName,
    batch_name,
    changes_of,
    register_in,
    tell_batch,
    tell_vouchers,
    terms_of,
    unknown,
)
from business.vouchers.batches import DRAWN_BYTES, Batch, RegisterBatch
from business.vouchers.codes import Place, VoucherKeys, read_code, read_serial
from business.vouchers.kind import register_of
from business.vouchers.sheets import ExportVouchers, MakeSheet
from business.vouchers.terms import check_terms, malformed
from charging.errors import Invalid
from charging.rating.selling import check_scope
from charging.wire import Answer
from runtime.principal import principal_of

READ = "vouchers"
"""What grants call the queries."""
SHEETS_DEFAULT, SHEETS_MAX = 20, 200
BATCHES_DEFAULT, BATCHES_MAX = 50, 200


class Vouchers(VoucherServiceServicer):
    """Serves operators. `wall_ms` is UTC, `timeout_s` for calls that name no deadline."""

    def __init__(self, pick: PickLink, wall_ms: Callable[[], int], timeout_s: float, keys: VoucherKeys) -> None:
        self._pick = pick
        self._wall_ms = wall_ms
        self._timeout_s = timeout_s
        self._keys = keys
        self._plans = Plans()

    async def MakeVouchers(self, request: pb.MakeVouchersRequest, context: ServicerContext) -> pb.MakeVouchersResponse:
        """Make a batch: its number first, then its sheets; the same request key goes on where it stopped."""
        owners = self._owners(request.caller, context)
        reference = await owners.reference(request.domain)
        plan = self._plans.take(reference).timeline.plan_at(self._wall_ms())
        terms = terms_of(request.terms, plan.currency)
        check_terms(terms, request.count, owners.now_ms)
        check_scope(plan, terms.unit, terms.allowance, "terms.allowance")
        stake = terms.amount * request.count
        permission = owners.permit("make_vouchers", reference, stake)
        slot, mark, principal = check_slot(request.slot, reference), self._keys.mark, owners.principal
        drawn, alone, key = secrets.token_bytes(DRAWN_BYTES), permission.alone(stake), request.caller.request_key
        asked = RegisterBatch(terms, request.count, drawn, mark, alone, key, principal)
        told = register_in(await owners.instruct(register_of(slot), asked, (terms, request.count)))
        batch = told.of_key(key)
        if batch is None:
            raise unknown()
        name = BatchName(request.domain, slot, batch.number)
        sheets = {name.place(sheet): self._sheet(name.place(sheet), batch) for sheet in range(batch.sheets)}
        await owners.instruct_all({place: (made, made) for place, made in sheets.items()})
        return pb.MakeVouchersResponse(batch=tell_batch(slot, batch))

    async def ChangeVouchers(
        self, request: pb.ChangeVouchersRequest, context: ServicerContext
    ) -> pb.ChangeVouchersResponse:
        """Do one thing to all sheets of a batch, or to those of some vouchers."""
        owners, name = self._owners(request.caller, context), batch_name(request.batch_id)
        reference = await owners.reference(name.domain)
        changes = changes_of(request, name, 1, owners.principal)
        owners.permit(str(type(next(iter(changes.values()))).__struct_config__.tag), reference)
        batch = await owners.batch(name)
        changes = changes_of(request, name, batch.sheets, owners.principal)
        done = await owners.instruct_all({name.place(sheet): (each, each) for sheet, each in changes.items()})
        return pb.ChangeVouchersResponse(sheets=len(done))

    async def ListVoucherBatches(
        self, request: pb.ListVoucherBatchesRequest, context: ServicerContext
    ) -> pb.ListVoucherBatchesResponse:
        """Tell a page of the batches of a slot, newest first."""
        owners = self._owners(request.caller, context)
        reference = await owners.reference(request.domain)
        owners.permit(READ, reference)
        slot = check_slot(request.slot, reference)
        known = (await owners.register(slot)).batches
        left = [batch for batch in reversed(known) if not request.before or batch.number < request.before]
        page = left[: min(request.batches_max or BATCHES_DEFAULT, BATCHES_MAX)]
        following = page[-1].number if len(page) < len(left) else 0
        rows = [tell_batch(slot, batch) for batch in page]
        return pb.ListVoucherBatchesResponse(batches=rows, next_before=following, slots=reference.slots)

    async def ReadVouchers(self, request: pb.ReadVouchersRequest, context: ServicerContext) -> pb.ReadVouchersResponse:
        """Tell the vouchers of a page of a batch, or one."""
        owners = self._owners(request.caller, context)
        which = request.WhichOneof("which")
        if which == "batch_id":
            name = batch_name(request.batch_id)
            owners.permit(READ, await owners.reference(name.domain))
            return await self._page(owners, name, request)
        if which is None:
            text = "one of batch_id, serial, code"
            raise Invalid("CHANGE_MISSING", f"no vouchers are named: give {text}", fields={"which": text})
        code = read_code(request.code) if which == "code" else None
        place, number = (code.place, 0) if code is not None else read_serial(request.serial)
        owners.permit(READ, await owners.reference(place.slot.partition("/")[0]))
        batch = await owners.batch(BatchName("", place.slot, place.batch))
        (sheet,) = await owners.sheets([place])
        if code is not None:
            hashes = self._keys.hashes(code.plain)
            number = next((at for at, known in enumerate(sheet.hashes, 1) if known in hashes), 0)
        if not 1 <= number <= len(sheet.hashes):
            raise unknown()
        told = tell_vouchers(place, sheet, [number], owners.now_ms)
        return pb.ReadVouchersResponse(batch=tell_batch(place.slot, batch), vouchers=told)

    async def ExportVouchers(
        self, request: pb.ExportVouchersRequest, context: ServicerContext
    ) -> pb.ExportVouchersResponse:
        """Tell the codes of a page of a batch, to the one request key that may have them."""
        owners, name = self._owners(request.caller, context), batch_name(request.batch_id)
        owners.permit("export_vouchers", await owners.reference(name.domain))
        batch = await owners.batch(name)
        places, following = _pages(name, batch, request.sheet, request.sheets_max)
        action = ExportVouchers(request.caller.request_key, owners.principal)
        # Spelt before they are marked as told: a key that is lost must not cost the one time.
        codes = [
            pb.VoucherCode(
                serial=place.serial(number), code=self._keys.spell(batch.mark, batch.drawn, place, number)[0]
            )
            for place in places
            for number in range(1, batch.on_sheet(place.sheet) + 1)
        ]
        await owners.instruct_all(dict.fromkeys(places, (action, action)))
        return pb.ExportVouchersResponse(codes=codes, next_sheet=following)

    async def _page(
        self, owners: SheetOwners, name: BatchName, request: pb.ReadVouchersRequest
    ) -> pb.ReadVouchersResponse:
        batch = await owners.batch(name)
        places, following = _pages(name, batch, request.sheet, request.sheets_max)
        told: list[pb.Voucher] = []
        for place, sheet in zip(places, await owners.sheets(places), strict=True):
            told += tell_vouchers(place, sheet, range(1, len(sheet.hashes) + 1), owners.now_ms)
        return pb.ReadVouchersResponse(batch=tell_batch(name.slot, batch), vouchers=told, next_sheet=following)

    def _sheet(self, place: Place, batch: Batch) -> MakeSheet:
        return MakeSheet(batch.terms, tuple(kept for _, kept in self._spelt(place, batch)), batch.alone, batch.made_by)

    def _spelt(self, place: Place, batch: Batch) -> list[tuple[str, bytes]]:
        """Give the codes of a sheet, each with what is kept of it."""
        numbers = range(1, batch.on_sheet(place.sheet) + 1)
        return [self._keys.spell(batch.mark, batch.drawn, place, number) for number in numbers]

    def _owners(self, caller: pb.VoucherCaller, context: ServicerContext) -> SheetOwners:
        check_caller(caller, "caller.")

        async def ask(questions: Sequence[Question]) -> list[Answer]:
            left_s = context.time_remaining()
            return await ask_all(self._pick, questions, self._timeout_s if left_s is None else left_s)

        return SheetOwners(ask, caller, principal_of(context).name, self._wall_ms())


def _pages(name: BatchName, batch: Batch, first: int, most: int) -> tuple[list[Place], int]:
    """Give the sheets of a page, and where the next one begins; 0 = there is none. Raises `Invalid`."""
    if first >= batch.sheets:
        raise malformed("sheet", f"0 to {batch.sheets - 1}")
    end = min(first + min(most or SHEETS_DEFAULT, SHEETS_MAX), batch.sheets)
    return [name.place(sheet) for sheet in range(first, end)], end if end < batch.sheets else 0
