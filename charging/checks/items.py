"""Items: the account items that discounts ask for must be such as a service, a tariff or a fee books under."""

from collections.abc import Iterator

from charging.bills.bill import WHOLE_BILL
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Discount, Fee, Offering
from charging.catalogue.tariffs import Price, Tariff
from charging.catalogue.words import Service
from charging.checks.references import nearest
from charging.checks.walk import Finding, structs


def check_items(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find items, and attributes of them, that no charge has: such a discount is never given."""
    known = known_items(*((national,) if national else ()), catalogue)
    for path, node in structs(catalogue):
        if not isinstance(node, Discount):
            continue
        items = known["item"] | ({WHOLE_BILL} if "bill" in node.applies_to else set())
        for index, wanted in enumerate(node.when.items):
            if wanted not in items:
                yield Finding(
                    (*path, "when", "items", index),
                    f"no service, tariff or fee books under item {wanted!r}{nearest(wanted, items)}",
                )
        for name, values in node.when.item.items():
            if name not in known:
                yield Finding(
                    (*path, "when", "item", name), f"an account item has no {name!r}, only {', '.join(known)}"
                )
                continue
            names = items if name == "item" else known[name]
            for wanted in values:
                if wanted not in names:
                    yield Finding(
                        (*path, "when", "item", name), f"no account item has {name} {wanted!r}{nearest(wanted, names)}"
                    )


def known_items(*documents: Catalogue) -> dict[str, set[str]]:
    """Give the values that attributes of account items can have."""
    known: dict[str, set[str]] = {name: set() for name in ("item", "service", "tariff", "price", "offering", "fee")}
    for document in documents:
        for _, node in structs(document):
            if isinstance(node, Service):
                known["service"].add(node.id)
                known["item"].add(node.item or node.id)
            elif isinstance(node, Fee):
                known["fee"].add(node.id)
                known["item"].add(node.item or node.id)
            elif isinstance(node, Tariff | Price):
                known["tariff" if isinstance(node, Tariff) else "price"].add(node.id)
                known["item"].add(node.item)
            elif isinstance(node, Offering):
                known["offering"].add(node.id)
    known["item"].discard("")
    return known
