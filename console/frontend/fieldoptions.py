"""Fields of a command as options of the command line: how each is called, told, and read as people write it."""

import re
from collections.abc import Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from typing import Annotated, cast

import typer
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct

from charging.base.account import MAIN_BOOK, MONEY
from charging.base.fieldtypes import MICRO_UNITS, Amount, Difference, FieldType, Moment, Whole
from charging.errors import NotFound
from console.values import micro_units, time_ms
from onetier_client import AsyncClient

Given = str | bool | Sequence[str]
IN_CURRENCY = "in the currency, such as 50 or 0.5"
_WHOLE_BITS: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}
"""Least and largest whole number that a field of the contract can carry."""
_COUNTED_BY = ("", "unit", "watches", "book_id")
"""What may stand beside an amount to tell what it counts; "" = nothing, it is money."""


class FieldOption(Struct, frozen=True):
    """One field of a command's message."""

    field: FieldDescriptor
    said: FieldType | None
    """None where the contract alone tells what it is."""
    meaning: str

    def parameter(self) -> Parameter:
        """Give the option: `--charge-key TEXT`."""
        flag = f"--{self.field.name.replace('_', '-')}"
        option = typer.Option(flag, help=self.help, show_default=False)
        kind: object = str
        default: object = ""
        if self.field.is_repeated:
            kind, default = list[str], []
        elif self.field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            kind, default = bool, False
        elif self.said is not None and self.said.required:
            default = Parameter.empty
        return Parameter(self.field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])

    @property
    def help(self) -> str:
        """What it means, and how it is written."""
        if self.is_amount:
            without_bounds = re.sub(r" \([^()]*\)$", "", self.meaning)
            return re.sub(
                "(M|m)icro-units", lambda found: ("I" if found[1] == "M" else "i") + IN_CURRENCY[1:], without_bounds
            )
        return f"{self.meaning}{self._written}"

    @property
    def is_amount(self) -> bool:
        """Say whether it is one of money, or of what the field beside it says."""
        return isinstance(self.said, Amount | Difference | Whole) and self.said.unit == MICRO_UNITS

    def fill(self, message: Message, given: Given) -> None:
        """Write what was given into the message, amounts aside. Raises `typer.BadParameter`."""
        name, field = self.field.name, self.field
        if not given:
            return
        if isinstance(given, bool):
            setattr(message, name, given)
        elif isinstance(given, str):
            if field.message_type is not None:
                _parse(given, getattr(message, name), name)
            else:
                setattr(message, name, self._plain(given))
        elif field.message_type is None:
            getattr(message, name).extend(given)
        elif field.message_type.GetOptions().map_entry:
            getattr(message, name).update(_pair(each, name) for each in given)
        else:
            for each in given:
                _parse(each, getattr(message, name).add(), name)

    async def fill_amount(self, message: Message, given: str, identity: str, client: AsyncClient) -> None:
        """Write an amount, once the fields beside it are there. Raises `typer.BadParameter`; a `Fault` from asking."""
        if given:
            money = await _counts_money(self.said, message, identity, client)
            setattr(message, self.field.name, micro_units(given) if money else self._whole(given))

    @property
    def _written(self) -> str:
        if isinstance(self.said, Moment):
            return " Written as 2026-01-05T10:00:00+08:00, too."
        if self.field.enum_type is not None:
            return f" One of {', '.join(_words(self.field))}."
        if self.field.message_type is None:
            return ""
        if self.field.message_type.GetOptions().map_entry:
            return " Written as name=value; may be repeated."
        return f" Written as JSON of the contract's {self.field.message_type.name}, or @file; money in micro-units."

    def _plain(self, given: str) -> str | int:
        if self.field.enum_type is not None:
            word = _words(self.field).get(given)
            if word is None:
                raise typer.BadParameter(f"{given[:40]!r} is none of {', '.join(_words(self.field))}")
            return word
        if self.field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return given
        return time_ms(given) if isinstance(self.said, Moment) else self._whole(given)

    def _whole(self, given: str) -> int:
        least, most = _WHOLE_BITS[self.field.cpp_type]
        try:
            number = int(given) if given.isascii() else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            flag = f"--{self.field.name.replace('_', '-')}"
            raise typer.BadParameter(f"{given[:40]!r} is no whole number for {flag}: give one of {least} to {most}")
        return number


def check_counted(said: FieldType | None, name: str) -> None:
    """Refuse an amount of which the command line could not tell whether it is money. Raises TypeError."""
    if isinstance(said, Amount | Difference | Whole) and said.beside not in _COUNTED_BY:
        raise TypeError(f"{name} is counted as {said.beside!r} says, which `onetier do` does not know")


async def _counts_money(said: FieldType | None, message: Message, identity: str, client: AsyncClient) -> bool:
    beside = said.beside if isinstance(said, Amount | Difference | Whole) else ""
    told = cast(str, getattr(message, beside)) if beside else ""
    match beside:
        case "unit":
            return told in ("", MONEY)
        case "watches":
            return told == "balance"
        case "book_id":
            try:
                books = (await client.balance(identity)).books
            except NotFound:
                return True  # The answer to the command says so too, or what its key did before the account ended.
            return all(book.unit == MONEY for book in books if book.book_id == (told or MAIN_BOOK))
    return True


def _words(field: FieldDescriptor) -> Mapping[str, int]:
    """Give the words of an enumeration as people write them: "create" for OPERATION_CREATE."""
    enum = field.enum_type
    assert enum is not None
    return {
        each.name.removeprefix(f"{field.name.upper()}_").lower(): each.number for each in enum.values if each.number
    }


def _pair(given: str, name: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals:
        raise typer.BadParameter(f"write --{name.replace('_', '-')} as name=value, not {given[:40]!r}")
    return key, value


def _parse(given: str, message: Message, name: str) -> None:
    flag, kind = f"--{name.replace('_', '-')}", message.DESCRIPTOR.name
    text = Path(given[1:]).read_text("utf-8") if given.startswith("@") else given
    if not text.lstrip().startswith("{"):  # The library takes what is no object for an empty one, or trips over it.
        raise typer.BadParameter(f"{flag} is no {kind}: write an object of JSON, {{…}}, or @ and a file that has one")
    try:
        json_format.Parse(text, message)
    except json_format.ParseError as error:
        raise typer.BadParameter(f"{flag} is no {kind}: {error}") from error
