"""What may stand on a command line, which every user of the machine can read: no password, and nothing but text."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import unquote_plus

import typer

ENDPOINTS_VARIABLE = "ONETIER_ENDPOINTS"
"""Addresses of app servers, commas between them, for commands that are given no --endpoint."""
DATACENTER_VARIABLE = "ONETIER_DATACENTER"
"""Address of a data center, for commands that are given no --datacenter."""


def problem(arguments: Sequence[str]) -> str:
    """Say in one sentence why these arguments are not taken, "" when they are."""
    for number, argument in enumerate(arguments, 1):
        if not _is_text(argument):
            return f"argument {number} is no UTF-8: write it in the encoding of your terminal."
        if "://" in argument and "password" in _options(argument):
            return (
                f"argument {number} has a password, which every user of this machine can read there: "
                "put it into a variable and name that one with password_env=."
            )
    return ""


def address(value: str) -> str:
    """Take an address of an option. Raises `typer.BadParameter` when it is none."""
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        raise typer.BadParameter(f"{value!r} is no address, write host:port")
    return value


def addresses(values: list[str]) -> list[str]:
    """Take the addresses of an option that may be repeated, or one of several. Raises `typer.BadParameter`."""
    found = [address(word.strip()) for value in values for word in value.split(",") if word.strip()]
    if not found:
        raise typer.BadParameter("no address is given, write host:port")
    return found


def request_key(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Take the request key of an option. Raises `typer.BadParameter` for an empty one that somebody wrote.

    A script whose variable is empty would do again, under a new key, what it means to repeat.
    """
    source = context.get_parameter_source(parameter.name or "")
    if not value and source is not None and source.name != "DEFAULT":
        raise typer.BadParameter("the request key is empty: leave the option out for a new one")
    return value


Key = Annotated[
    str,
    typer.Option("--key", callback=request_key, help="Request key, to repeat an intent; default: a new one."),
]


def first_address(value: str) -> str:
    """Take the address that is asked, where the variable may name several. Raises `typer.BadParameter`."""
    return addresses([value])[0]


def _options(url: str) -> set[str]:
    return {unquote_plus(option.partition("=")[0]) for option in url.partition("?")[2].split("&")}


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:  # Bytes that Python could not decode come as lone surrogates.
        return False
    return True
