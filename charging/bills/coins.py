"""The smallest coin of a currency: what is paid is a multiple of it, what is below is carried to the next bill."""

from charging.base.money import MICRO

# ISO 4217, column "minor unit", where it isn't two. Those with four places are units of account that nobody pays with.
_NO_PLACES = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_THREE_PLACES = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905
PLACES_DEFAULT = 2


def places_of(currency: str) -> int:
    """Give how many decimal places a currency (ISO 4217) is paid with: 0, 2 or 3."""
    if currency in _NO_PLACES:
        return 0
    return 3 if currency in _THREE_PLACES else PLACES_DEFAULT


def coin_of(currency: str) -> int:
    """Give the smallest coin of a currency, micro-units."""
    return MICRO // (1, 10, 100, 1000)[places_of(currency)]
