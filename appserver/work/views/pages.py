"""Pages of a query's view: their cursors, which hold for the view, the account and all that narrows it."""

from appserver.reading.cursors import Place, page_foreign, read_cursor, write_cursor
from appserver.reading.narrowing import Narrowing
from appserver.reading.request import QueryRequest
from charging.base.bounds import OPEN_END


def cursor_after(place: int | str, told: int, query: QueryRequest, of: str) -> str:
    """Write where the next page of a list begins; `of` is whose list it is, such as an account."""
    return write_cursor(place, told, _list_of(query, of))


def place_in(query: QueryRequest, of: str) -> Place | None:
    """Read where a page begins; None = with the first row. Raises `Invalid` PAGE_MALFORMED, PAGE_FOREIGN."""
    return read_cursor(query.narrowing.page_cursor, _list_of(query, of))


def position_in(query: QueryRequest, of: str) -> tuple[int, int]:
    """Read a place that is a position of a journal; (0, 0) = the first page. Raises as `place_in`."""
    match place_in(query, of):
        case None:
            return 0, 0
        case (int(position), told) if 0 < position < OPEN_END and 0 <= told < OPEN_END:
            return position, told
    raise page_foreign()


def name_in(query: QueryRequest, of: str) -> str:
    """Read a place that is a name, of the last row told; "" = the first page. Raises as `place_in`."""
    match place_in(query, of):
        case None:
            return ""
        case (str(name), _):
            return name
    raise page_foreign()


def _list_of(query: QueryRequest, of: str) -> object:
    asked: Narrowing = query.narrowing
    return (query.view, of, query.identity, asked.kinds, asked.services, asked.from_ms, asked.to_ms, asked.offerings)
