"""How long texts may be, in one place. A text is bounded before it is a key of anything that is remembered."""

IDENTITY_CHARS_MAX = 128
"""Before it is normalised, spaces and signs included; the longest that comes out has 74."""
ROUTE_CHARS_MAX = 128
"""Of an identity or "domain:GD/3", as the data center is asked for it."""
KEY_CHARS_MAX = 64
"""Of a request key that a caller makes, ASCII."""
CODE_CHARS_MAX = 64
"""Of the code of a channel or partner."""
ID_CHARS_MAX = 64
"""Of what a caller names: books, sessions, thresholds, offerings."""
ACTOR_CHARS_MAX = 200
TEXT_CHARS_MAX = 256
"""Of a reason and whatever else is only kept and shown."""
ATTRIBUTE_CHARS_MAX = 64
"""Of the name and of the value of an attribute of an event."""
