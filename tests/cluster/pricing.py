"""The sample catalogues, corrected."""

from pathlib import Path
from shutil import copytree

ROOT = Path(__file__).parents[2]


def corrected(folder: Path) -> Path:
    """The sample catalogues, national calls a fifth dearer from the same day on."""
    home = folder / "catalogues"
    copytree(ROOT / "catalogues", home)
    services, usage = home / "national" / "services.yaml", home / "national" / "usage.yaml"
    services.write_text(services.read_text("utf-8").replace("\nversion: 1\n", "\nversion: 2\n"), "utf-8")
    usage.write_text(usage.read_text("utf-8").replace("{price: 0.25, per: 60}", "{price: 0.30, per: 60}"), "utf-8")
    return home
