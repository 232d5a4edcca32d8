"""Generate, check and freeze the contracts in proto/.

protos.py generate   rewrite the committed stubs, the client's calls of commands (`.ci/client.py`), the page of them
protos.py check      buf STANDARD, no breaking change against proto/baseline.binpb, what is generated up to date
protos.py freeze     make today's contracts the baseline that later changes must not break
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import client
import google.rpc
import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
BASELINE = PROTO / "baseline.binpb"
SOURCES = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
GOOGLE_RPC = Path(next(iter(google.rpc.__path__)))
INCLUDES = [f"-I{PROTO}", f"-I{GOOGLE_RPC.parent.parent}", f"-I{WELL_KNOWN}"]
CLIENT = ROOT / "onetier_client"
PAGE = ROOT / "docs" / "commands.md"


def generate(target: Path) -> None:
    """Write the stubs of every contract below `target`."""
    arguments = ["protoc", *INCLUDES]
    arguments += [f"--{kind}={target}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    if protoc.main([*arguments, *SOURCES]) != 0:
        sys.exit("protoc refused the contracts; its message is above")


def workspace(folder: Path) -> Path:
    """Lay out what buf needs: our contracts and the two files of google.rpc that they import."""
    shutil.copytree(PROTO, folder / "proto", ignore=shutil.ignore_patterns("*.py", "*.pyi", "__pycache__"))
    (folder / "google" / "google" / "rpc").mkdir(parents=True)
    shutil.copy(GOOGLE_RPC / "status.proto", folder / "google" / "google" / "rpc")
    (folder / "proto" / "buf.yaml").unlink()
    rules = (PROTO / "buf.yaml").read_text()
    (folder / "buf.yaml").write_text(
        rules + "modules:\n  - path: proto\n  - path: google\n    lint: {ignore: [google]}\n"
    )
    return folder


def buf(folder: Path, *arguments: str) -> None:
    """Run buf in the workspace and stop at its first complaint."""
    program = Path(sys.executable).parent / "buf"
    if subprocess.run([program, *arguments], cwd=folder, check=False).returncode != 0:
        sys.exit(f"buf {arguments[0]} refused the contracts; its message is above")


def check() -> None:
    """Stop with a sentence unless lint, compatibility and stubs are all right."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        stale = [
            path.relative_to(folder).as_posix()
            for path in sorted(folder.rglob("*_pb2*"))
            if not (PROTO / path.relative_to(folder)).exists()
            or not filecmp.cmp(path, PROTO / path.relative_to(folder), shallow=False)
        ]
        if stale:
            sys.exit(f"stubs are not what the contracts generate: {', '.join(stale)}; run `make proto`")
        client.generate(PROTO, INCLUDES, folder)
        stale = [
            name
            for name in client.WRITTEN
            if not (CLIENT / name).exists() or not filecmp.cmp(folder / name, CLIENT / name, shallow=False)
        ]
        if stale:
            sys.exit(f"the client's calls are not what contract and ledger make: {', '.join(stale)}; run `make proto`")
        if not PAGE.exists() or PAGE.read_text("utf-8") != page():
            sys.exit("docs/commands.md is not what contract and ledger make; run `make proto`")
    with tempfile.TemporaryDirectory() as name:
        folder = workspace(Path(name))
        buf(folder, "lint")
        # An image against an image: of a workspace of two modules, buf compares nothing with one image, and says so to
        # nobody.
        image = str(folder / "image.binpb")
        buf(folder, "build", "-o", image)
        buf(folder, "breaking", image, "--against", str(BASELINE), "--config", str(PROTO / "buf.yaml"))
    print(f"{len(SOURCES)} contracts: lint, compatibility and stubs are all right")


def page() -> str:
    """Give the page of all commands."""
    import commands  # Its reader needs the stubs, which may just have been written.

    return commands.page(client.described(PROTO, INCLUDES))


def everything() -> None:
    """Write the stubs, and the calls of the client."""
    generate(PROTO)
    client.generate(PROTO, INCLUDES, CLIENT)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")


def freeze() -> None:
    """Make today's contracts the baseline."""
    with tempfile.TemporaryDirectory() as name:
        buf(workspace(Path(name)), "build", "-o", str(BASELINE))


if __name__ == "__main__":
    {"generate": everything, "check": check, "freeze": freeze}[sys.argv[1]]()
