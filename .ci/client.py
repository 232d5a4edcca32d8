"""Write the client's calls, one for each command: what the fields mean is in the contract's comments, what may stand in
them in the types beside the fields of the ledger's structs.

`.ci/protos.py` does it after the stubs, so `make proto` writes both and `make proto-check` compares both.
"""

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

from charging.base.asked import types_of
from charging.base.fieldtypes import Choice, FieldType, Flag
from charging.ledger.asking import ASKED

DESK = "onetier/v1/service_desk.proto"
BY_HAND = frozenset({"session"})
"""Commands whose requests are made here and called by `onetier_client.sessions`, since they are answered otherwise."""
PLAIN = {
    FieldDescriptorProto.TYPE_STRING: ("str", '""'),
    FieldDescriptorProto.TYPE_BOOL: ("bool", "False"),
    FieldDescriptorProto.TYPE_INT32: ("int", "0"),
    FieldDescriptorProto.TYPE_INT64: ("int", "0"),
    FieldDescriptorProto.TYPE_UINT32: ("int", "0"),
    FieldDescriptorProto.TYPE_UINT64: ("int", "0"),
}
Comments = Mapping[tuple[int, ...], str]
MESSAGE, FIELD = 4, 2
"""Numbers of `message_type` in a FileDescriptorProto and of `field` in a DescriptorProto: the path of a comment."""
WIDTH = 120


class Call:
    """One command: its message, and what is said of its fields."""

    def __init__(self, name: str, place: int, message: DescriptorProto, comments: Comments) -> None:
        self.name = name
        self.message = message.name
        self.meaning = comments.get((MESSAGE, place), "")
        if not self.meaning:
            sys.exit(f"say in a comment of the contract what {message.name} does: the client tells it")
        self._fields = list(message.field)
        self._meanings = [comments.get((MESSAGE, place, FIELD, index), "") for index in range(len(message.field))]
        self._nested = {entry.name for entry in message.nested_type}
        self._types: Mapping[str, FieldType] = types_of(ASKED[name]) if name in ASKED else {}

    @property
    def whole(self) -> bool:
        """Say whether the message is handed over as it is: it has messages inside."""
        return any(field.type == field.TYPE_MESSAGE and not self._is_map(field) for field in self._fields)

    def parameters(self) -> list[str]:
        """Give the parameters of the call, those that are always given in front."""
        if self.whole:
            return [f"command: desk.{self.message}"]
        first = [field for field in self._fields if self._is_required(field)]
        return [
            *(f"{field.name}: {self._python(field)[0]}" for field in first),
            *(
                f"{field.name}: {annotation} = {default}"
                for field in self._fields
                if field not in first
                for annotation, default in [self._python(field)]
            ),
        ]

    def made(self) -> str:
        """Give the expression of its message."""
        if self.whole:
            return "command"
        given = ", ".join(f"{field.name}={field.name}" for field in self._fields)
        return f"desk.{self.message}({given})"

    def docstring(self) -> Iterator[str]:
        """Give the lines that tell what it does, and what its fields mean and take."""
        summary, *more = _wrapped(self.meaning, first=3)
        yield f'"""{summary}'
        yield from more
        yield ""
        for field, meaning in zip(self._fields, self._meanings, strict=True):
            yield from _wrapped(f"`{field.name}`: {meaning}{self._bounds(field.name, meaning)}", hanging=True)
        yield '"""'

    def rows(self) -> Iterator[tuple[str, bool, str, str]]:
        """Give of each field its name, whether it must be given, what it means, and what it takes."""
        for field, meaning in zip(self._fields, self._meanings, strict=True):
            bounds = self._bounds(field.name, meaning).removeprefix(" (").removesuffix(")")
            yield field.name, self._is_required(field), meaning, bounds

    def _bounds(self, field: str, meaning: str) -> str:
        said = self._types.get(field)
        if said is None or isinstance(said, Flag):
            return ""
        if isinstance(said, Choice) and all(f'"{word}"' in meaning for word in said.words):
            return ""
        unit = f"; {said.unit}" if said.unit and said.unit not in meaning.lower() else ""
        return f" ({said.wanted}{unit})"

    def _is_required(self, field: FieldDescriptorProto) -> bool:
        said = self._types.get(field.name)
        return said is not None and said.required

    def _is_map(self, field: FieldDescriptorProto) -> bool:
        return field.type_name.rpartition(".")[2] in self._nested

    def _python(self, field: FieldDescriptorProto) -> tuple[str, str]:
        if self._is_map(field):
            return "Mapping[str, str] | None", "None"
        annotation, default = PLAIN[field.type]
        if field.label == field.LABEL_REPEATED:
            return f"Sequence[{annotation}]", "()"
        return annotation, default


def _wrapped(text: str, *, first: int = 0, hanging: bool = False) -> list[str]:
    width = WIDTH - len("    ")
    lines = textwrap.wrap(
        " " * first + text, width, subsequent_indent="    " * hanging, break_on_hyphens=False, drop_whitespace=True
    )
    return [lines[0].lstrip(), *lines[1:]]


def described(proto: Path, includes: list[str]) -> list[Call]:
    """Read the commands of the front end's contract, comments included."""
    with tempfile.TemporaryDirectory() as name:
        image = Path(name) / "image"
        arguments = ["protoc", *includes, "--include_source_info", f"--descriptor_set_out={image}"]
        if protoc.main([*arguments, str(proto / DESK)]) != 0:
            sys.exit("protoc refused the contracts; its message is above")
        (file,) = FileDescriptorSet.FromString(image.read_bytes()).file
    comments = {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}
    messages = {message.name: (place, message) for place, message in enumerate(file.message_type)}
    _, request = messages["ServiceRequest"]
    return [
        Call(field.name, *messages[field.type_name.rpartition(".")[2]], comments)
        for field in request.field
        if field.HasField("oneof_index")
    ]


def messages_text(calls: list[Call]) -> str:
    """Give the module with the type of all commands."""
    union = " | ".join(f"desk.{call.message}" for call in calls)
    head = _head("The messages of commands, of which a request has one.")
    return f"{head}\nfrom onetier.v1 import service_desk_pb2 as desk\n\nCommand = {union}\n"


def commands_text(calls: list[Call]) -> str:
    """Give the module that makes the request of each command."""
    lines = [
        _head("The request of each command, its fields as arguments. For many at once; single ones are in `calls`."),
        "from collections.abc import Mapping, Sequence",
        "from typing import Unpack",
        "",
        "from onetier.v1 import service_desk_pb2 as desk",
        "",
        "from onetier_client.requests import Facts, execute",
    ]
    for call in calls:
        parameters = ", ".join(("identity: str", *call.parameters(), "**facts: Unpack[Facts]"))
        lines += ["", "", f"def {call.name}({parameters}) -> desk.ServiceRequest:"]
        lines += [f"    {line}" if line else "" for line in call.docstring()]
        lines.append(f"    return execute(identity, {call.made()}, **facts)")
    return "\n".join(lines) + "\n"


def calls_text(calls: list[Call]) -> str:
    """Give the module with the calls of the asyncio client."""
    lines = [
        _head("The call of each command, with the arguments that `onetier_client.generated.commands` tells."),
        "from onetier_client.asking import Asking, asked",
        "from onetier_client.generated import commands",
        "",
        "",
        "class Commands(Asking):",
        '    """What may be done to an account. `charging.errors.Fault` is raised for what the platform refuses."""',
        "",
        *(f"    {call.name} = asked(commands.{call.name})" for call in calls if call.name not in BY_HAND),
    ]
    return "\n".join(lines) + "\n"


def blocking_text(calls: list[Call]) -> str:
    """Give the module with the calls of the blocking client."""
    lines = [
        _head("The call of each command that waits for its answer."),
        "from onetier_client.driving import Driving, blocking",
        "from onetier_client.generated.calls import Commands",
        "",
        "",
        "class BlockingCommands(Driving):",
        '    """What may be done to an account; as `onetier_client.generated.calls.Commands`."""',
        "",
        *(f"    {call.name} = blocking(Commands.{call.name})" for call in calls if call.name not in BY_HAND),
    ]
    return "\n".join(lines) + "\n"


def _head(what: str) -> str:
    made = "Made by `make proto`: change the contract, or the struct of the ledger, instead."
    return f'"""{what}\n\n{made}\n"""\n'


WRITTEN = {
    "messages.py": messages_text,
    "generated/commands.py": commands_text,
    "generated/calls.py": calls_text,
    "generated/blocking_calls.py": blocking_text,
}
"""What is made below `onetier_client/`."""


def generate(proto: Path, includes: list[str], target: Path) -> None:
    """Write what is made of the client into its folder, in the house format."""
    calls = described(proto, includes)
    (target / "generated").mkdir(parents=True, exist_ok=True)
    for name, text in WRITTEN.items():
        (target / name).write_text(text(calls), "utf-8")
    ruff = Path(sys.executable).parent / "ruff"
    files = [target / name for name in WRITTEN]
    subprocess.run([ruff, "format", "--quiet", "--isolated", "--line-length", str(WIDTH), *files], check=True)
