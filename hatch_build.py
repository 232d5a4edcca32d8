"""Compile the translations; and with ONETIER_COMPILE=1 the hot modules with mypyc, while a wheel is built.

Which modules those are stands in `pyproject.toml`, in this hook's own table. They stay plain Python that runs as it is:
the compiler reads the same annotations as mypy. Modules that define `msgspec.Struct`s can't be among them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SETUP = """
from mypycify_arguments import MODULES
from mypyc.build import mypycify
from setuptools import setup

setup(name="onetier-compiled", packages=[], ext_modules=mypycify(MODULES, opt_level="2", debug_level="0"))
"""


def compile_languages(root: Path) -> list[Path]:
    """Compile the translations beside their sources, for a process reads them so; gives the files that were made."""
    made = []
    for source in sorted(root.glob("runtime/languages/locales/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        with source.open("rb") as texts:
            catalogue = read_po(texts, locale=source.parts[-3], charset="utf-8")
        with target.open("wb") as file:
            write_mo(file, catalogue)
        made.append(target)
    return made


class CompiledModules(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the extension modules beside their sources."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Compile in a copy of the tree, so that no extension module ever shadows a source that is worked on."""
        root = Path(self.root)
        compiled = {str(path): path.relative_to(root).as_posix() for path in compile_languages(root)}
        if version != "editable":
            build_data["force_include"] = compiled
        if os.environ.get("ONETIER_COMPILE") != "1" or version == "editable":
            return
        copy = Path(tempfile.mkdtemp(prefix="onetier-compile-"))
        packages = [Path(name) for name in self.build_config.packages]
        for package in packages:
            shutil.copytree(root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        shutil.copy(root / "pyproject.toml", copy)
        modules: list[str] = self.config["modules"]
        (copy / "mypycify_arguments.py").write_text(f"MODULES = {['--config-file', 'pyproject.toml', *modules]!r}\n")
        (copy / "setup.py").write_text(SETUP)
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--parallel", str(os.cpu_count())]
        subprocess.run(command, cwd=copy, check=True)
        shutil.rmtree(copy / "build")
        libraries = [*copy.glob("**/*.so")]
        build_data["force_include"] |= {str(path): path.relative_to(copy).as_posix() for path in libraries}
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        self._copy = copy

    def finalize(self, version: str, build_data: dict[str, object], artifact_path: str) -> None:
        """Remove the copy."""
        copy = getattr(self, "_copy", None)
        if copy is not None:
            shutil.rmtree(copy)
