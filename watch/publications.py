"""What the directory publishes, as a feed beside the journals: tariffs are one event, and no account is touched."""

from directory.view import DirectoryView
from watch.cursors import Place
from watch.telling import FeedEvent, tariffs_changed


class Publications:
    """Where one watcher stands among the catalogues, in the order of the control log; `place` counts those behind."""

    def __init__(self, directory: DirectoryView) -> None:
        self.place: Place = (0, 0)
        self._directory = directory

    def go_to_end(self) -> None:
        """Stand behind all that is published now."""
        self.place = (len(self._directory.publications()), 0)

    def take(self, regions: frozenset[str]) -> FeedEvent | None:
        """Give the next that concerns one of these regions, and stand behind it; None = there is none.

        A place beyond the end is that of a process which has read further: what it has seen comes here, too.
        """
        published = self._directory.publications()
        for number in range(self.place[0], len(published)):
            self.place = (number + 1, 0)
            if published[number].domain in ("", *regions):
                return tariffs_changed(number, published[number])
        return None
