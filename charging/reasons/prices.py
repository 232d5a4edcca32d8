"""Reasons about prices: usage that nothing prices, offerings that can't be sold, catalogues that can't be used."""

from charging.reasons.reason import BROKEN, CONFLICT, INVALID, NOT_FOUND, Reason, Section

PRICES = Section(
    "Prices",
    "desk",
    (
        Reason(
            "USAGE_UNRATED",
            INVALID,
            "No price of the service holds for this usage.",
            "`nearest` names the rule that came closest: mend the catalogue or the contract.",
            facts=("failed", "nearest"),
        ),
        Reason(
            "BAND_UNRATED",
            INVALID,
            "A price has no rate for a part of the call.",
            "Mend the catalogue.",
            facts=("failed", "nearest", "origin"),
        ),
        Reason(
            "SERVICE_NOT_SUBSCRIBED",
            INVALID,
            "No offering of the contract opens the service.",
            "Mend the catalogue or the contract.",
            facts=("failed", "nearest"),
        ),
        Reason(
            "SUBSCRIPTION_MISSING",
            INVALID,
            "No subscription of the contract was valid when the event began.",
            "Mend the contract.",
            facts=("nearest",),
        ),
        Reason(
            "CATALOGUE_MISSING",
            INVALID,
            "No national catalogue was in force when the event began.",
            "Publish one that was.",
            facts=("nearest",),
        ),
        Reason("FEE_UNKNOWN", INVALID, "The catalogue has no such fee.", facts=("nearest",)),
        Reason(
            "QUANTITY_INVALID",
            INVALID,
            "The service takes no such quantity in one usage.",
            fields="the quantity",
            facts=("nearest",),
        ),
        Reason(
            "AMOUNT_INVALID",
            INVALID,
            "The charge would be beyond a thousand million.",
            "Look at price and quantity: one of them is a slip.",
            facts=("nearest",),
        ),
        Reason(
            "USAGE_TOO_LATE",
            INVALID,
            "The usage began more than 35 days ago, and what it counts for is kept no more.",
            "Correct the bill by hand. Usage whose price looks at no counter is taken however late.",
            fields="the time",
            facts=("days",),
        ),
        Reason(
            "OFFERING_UNKNOWN",
            INVALID,
            "The catalogue sells no such offering.",
            fields="the subscriptions",
        ),
        Reason(
            "OFFERING_NOT_SOLD", INVALID, "The offering is not sold now, or not at that moment.", fields="the offering"
        ),
        Reason(
            "MINIMUM_TERM",
            INVALID,
            "The offering is kept for a time at least, which is not over.",
            "End it later.",
            fields="the offering",
        ),
        Reason("TAKEN_TOO_OFTEN", INVALID, "The offering is not taken so often in one period.", fields="the offering"),
        Reason("OFFERING_REQUIRES", INVALID, "The offering is sold only with another.", fields="the subscriptions"),
        Reason("OFFERING_EXCLUDED", INVALID, "The offering is not sold beside another.", fields="the subscriptions"),
        Reason(
            "AGREEMENT_UNKNOWN",
            INVALID,
            "The catalogue has no such agreement, nor a rule of that level.",
            fields="the agreements",
        ),
    ),
)

CATALOGUES = Section(
    "Catalogues",
    "data center",
    (
        Reason(
            "CATALOGUE_FAULTY",
            INVALID,
            "The catalogue contradicts itself; nothing was published.",
            "The message has the first fault, `onetier catalog check` all.",
            fields="the content",
        ),
        Reason(
            "CATALOGUE_UNREADABLE",
            INVALID,
            "The content is no packed catalogue, or one of a later version.",
            fields="the content",
            also=BROKEN,
        ),
        Reason(
            "CATALOGUE_MISLABELLED",
            INVALID,
            "The content is another catalogue than the one named beside it.",
            fields="the content",
        ),
        Reason(
            "CATALOGUE_NEVER_IN_FORCE",
            INVALID,
            "Another version begins at the same moment and has a higher number.",
            "Give it the next number, or a later `effective_from`.",
            fields="the content",
        ),
        Reason(
            "CATALOGUES_TOO_LARGE",
            INVALID,
            "The catalogues are more than is published at once.",
            "Publish fewer regions at once; beyond 12 MB for the nation and one region, make them smaller.",
            fields="the content",
        ),
        Reason(
            "CATALOGUE_PUBLISHED",
            CONFLICT,
            "The version is published, and never changes.",
            "Give the next version.",
            facts=("domain", "version"),
        ),
        Reason("CATALOGUE_UNKNOWN", NOT_FOUND, "No such version is published.", facts=("domain", "version")),
        Reason("VERSION_OUT_OF_RANGE", INVALID, "Versions begin at 1.", fields="the version"),
    ),
)
