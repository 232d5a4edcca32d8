"""Ids of the sample catalogue that the sample population subscribes to, and who holds what. One place for both sides.

The files under `catalogues/` define these offerings; a population that names an offering nobody published would be
refused, so the tests compare the two.
"""

MOBILE_PAY_AS_YOU_GO = "mobile-basic"
MOBILE_SMALL = "mobile-59"
MOBILE_LARGE = "mobile-129"
FIXED_LINE = "fixed-line"
BROADBAND_METERED = "broadband-metered"
BROADBAND_FLAT = "broadband-300m"
FAMILY_BUNDLE = "family-bundle"
DATA_PACK = "data-pack-5g"
FAMILY_CALLS = "family-calls"

ALL_OFFERINGS = (
    MOBILE_PAY_AS_YOU_GO,
    MOBILE_SMALL,
    MOBILE_LARGE,
    FIXED_LINE,
    BROADBAND_METERED,
    BROADBAND_FLAT,
    FAMILY_BUNDLE,
    DATA_PACK,
    FAMILY_CALLS,
)
AGREEMENT_CORPORATE = "corporate-voice"
"""Discount rule agreed on the account (level A)."""
FAMILY_GROUP = "family"
"""Name of the identity group whose members a family offering calls cheaper."""

VOICE, SMS, DATA, FIXED, BROADBAND = "voice", "sms", "data", "fixed", "broadband"
SERVICES = (VOICE, SMS, DATA, FIXED, BROADBAND)
