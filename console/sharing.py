"""Options that several commands have, written once: the struct that a command is handed has a field for each.

class Caller(Struct, frozen=True):
    actor: Annotated[str, typer.Option(help="Who orders it.")] = "operator"

@app.command()
@shares(Caller)
def show(run: Annotated[str, typer.Argument()], caller: Caller) -> None: ...
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

BundleT = TypeVar("BundleT")


def shares(bundle: type[BundleT]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `bundle` behind its own; its last parameter gets them, read.

    Raises `TypeError` for an option that both have.
    """
    shared = list(inspect.signature(bundle).parameters.values())

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        *own, handed = inspect.signature(command).parameters.values()
        if same := {each.name for each in own} & {each.name for each in shared}:
            raise TypeError(f"{command.__name__} and {bundle.__name__} both have {', '.join(sorted(same))}")

        @wraps(command)
        def run(**given: object) -> None:
            read = bundle(**{each.name: given.pop(each.name) for each in shared})
            command(**given, **{handed.name: read})

        options = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
        run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in options}
        del run.__wrapped__
        return run

    return decorated
