"""Setting documents by typst, in this process: one compiler, its font read once, for any number of documents.

A template is a module with a function `bills(sheets)`. What is set is a main file of two lines, made anew for each
call: it imports the template and has the data as a text of its own. So the template is read and evaluated once, and
what two documents have alike is laid out once. typst's way of handing over data, `sys.inputs`, would make either new
each time, because inputs are a part of the library that all it remembers depends on.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typst

from charging.errors import Invalid
from documents.document import BillDocument
from documents.layout import sheet_of

TEMPLATE = Path(__file__).parent / "templates" / "bill.typ"
_REGISTRY = re.compile(r'"@[\w-]+/')
"""How a template names what typst would fetch from its registry."""
_encoder = msgspec.json.Encoder()


class Typesetter:
    """Makes PDFs by one template. Its memory grows with what it has set: see `documents.printing`."""

    def __init__(self, fonts: Path, template: Path = TEMPLATE) -> None:
        """Raise `Invalid` TEMPLATE_FAULTY when the template can't be read, or asks for packages of a registry."""
        try:
            source = template.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as failure:
            raise _faulty(template, str(failure)) from None
        if _REGISTRY.search(source):
            raise _faulty(template, "it asks for a package; a document is made of what lies beside its template")
        self._template = template
        self._opening = f"#import {_literal('/' + template.name)} as template\n#template.bills(json(bytes("
        self._compiler = typst.Compiler(root=str(template.parent), font_paths=[str(fonts)], ignore_system_fonts=True)

    def pdf(self, document: BillDocument) -> bytes:
        """Set one document, tagged for those who hear it read; equal documents give equal bytes.

        Raises `Invalid` TEMPLATE_FAULTY.
        """
        return self._set([document], tags=True)

    def bundle(self, documents: Sequence[BillDocument]) -> bytes:
        """Set documents behind each other in one PDF, for a printing house; each counts its own pages."""
        return self._set(documents, tags=False)

    def _set(self, documents: Sequence[BillDocument], *, tags: bool) -> bytes:
        data = _encoder.encode([sheet_of(document) for document in documents]).decode()
        main = f"{self._opening}{_literal(data)})))".encode()
        made = datetime.fromisoformat(documents[0].bill.made_day).replace(tzinfo=UTC)
        try:
            found = self._compiler.compile(input=main, format="pdf", timestamp=made, pdf_tags=tags)
        except typst.TypstError as fault:
            raise _faulty(self._template, fault.message) from None
        if not isinstance(found, bytes):
            raise _faulty(self._template, "it makes no document")
        return found


def _literal(text: str) -> str:
    """Write a text as a string of typst, in which nothing but these two characters means anything."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _faulty(template: Path, why: str) -> Invalid:
    return Invalid("TEMPLATE_FAULTY", f"template {template.name}: {why}", fields={"template": template.name})
