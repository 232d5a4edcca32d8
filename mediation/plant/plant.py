"""A plant as its parts see it: folders and books."""

from pathlib import Path

from mediation.plant.base import PlantBase
from mediation.plant.files import FileBook
from mediation.plant.gaps import GapBook
from mediation.plant.home import PlantFolder
from mediation.plant.likeness import LikenessBook
from mediation.plant.parts import PartBook
from mediation.plant.removed import RemovedBook
from mediation.plant.suspense import Suspense
from mediation.plant.visits import VisitBook
from mediation.plant.work import CHARGED, WorkBook


class Plant:
    """One plant, opened for one process."""

    def __init__(self, home: Path) -> None:
        self.folder = PlantFolder(home)
        base = PlantBase(self.folder.ledger)
        self.commit = base.commit
        self.close = base.close
        self.forget = base.forget
        self.plant_id = base.plant_id()
        self.files = FileBook(base)
        self.work = WorkBook(base)
        self.visits = VisitBook(base)
        self.removed = RemovedBook(base)
        self.gaps = GapBook(base)
        self.suspense = Suspense(base)
        self.parts = PartBook(base)
        self.likeness = LikenessBook(base)

    def remove_unnamed(self) -> int:
        """Remove what stands in the folders and no book names: it never happened. Gives how many files."""
        folder = self.folder
        gone = self.removed.all()
        named = {folder.landed(file.digest) for file in self.files.all() if file.digest not in gone}
        named |= {folder.run(name) for name in self.work.runs()}
        for batch in self.work.batches():
            named.add(folder.batch(batch.number))
            if batch.state == CHARGED:
                named.add(folder.details(batch.number))
        left = [path for path in folder.made() if path not in named]
        for path in left:
            path.unlink()
        return len(left)
