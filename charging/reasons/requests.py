"""Reasons about a request as it is written, before anybody looks at an account."""

from charging.reasons.reason import CONFLICT, DENIED, INVALID, NOT_FOUND, Reason, Section

ENVELOPE = Section(
    "The request",
    "desk",
    (
        Reason(
            "IDENTITY_MALFORMED",
            INVALID,
            "The identity has no spelling that can be read for certain.",
            "Write +E.164, kind:value, or account: and an id.",
            fields="the identity",
        ),
        Reason(
            "PARTY_MALFORMED",
            INVALID,
            "The other party is neither a number nor a name nor a short code.",
            fields="the other party",
        ),
        Reason("REQUEST_TYPE_UNKNOWN", INVALID, "The type of the request is none of the four.", fields="the type"),
        Reason("REQUEST_TYPE_MISMATCH", INVALID, "The type is another than that of the call.", fields="the type"),
        Reason(
            "REQUEST_KEY_MISSING", INVALID, "What changes something carries no request key.", fields="the request key"
        ),
        Reason(
            "REQUEST_KEY_MALFORMED",
            INVALID,
            "The request key is too long, not printable ASCII, or begins as those of the house do.",
            fields="the request key",
        ),
        Reason(
            "REQUEST_KEY_REUSED",
            CONFLICT,
            "The request key was used for another content.",
            "Give each intent a key of its own; `onetier outcome IDENTITY KEY` tells what this one did.",
            fields="the request key",
            facts=("request_key",),
        ),
        Reason(
            "FIELD_WITHOUT_EFFECT",
            INVALID,
            "A field is set that means nothing for what is asked.",
            "Leave it out: whoever wrote it would believe that it was done.",
            fields="each such field",
        ),
        Reason("COMMAND_MISSING", INVALID, "A request to execute holds no command.", fields="command"),
        Reason(
            "COMMAND_UNKNOWN",
            INVALID,
            "There is no such command, in the request or in a grant.",
            fields="the command",
        ),
        Reason(
            "SERVICE_UNKNOWN",
            INVALID,
            "There is no such service, or no such view.",
            fields="the service code",
            facts=("nearest",),
        ),
        Reason(
            "QUANTITY_NEGATIVE",
            INVALID,
            "The quantity is less than zero.",
            fields="the quantity",
            other="QUANTITY_OUT_OF_RANGE",
        ),
        Reason(
            "QUANTITY_ABSURD",
            INVALID,
            "The quantity is more than one request can mean.",
            fields="the quantity",
            other="QUANTITY_OUT_OF_RANGE",
        ),
        Reason("EVENT_TIME_INVALID", INVALID, "The time of the event is no time.", fields="the time"),
        Reason(
            "EVENT_IN_FUTURE",
            INVALID,
            "The event is further ahead of our clock than is taken for its clock's fault.",
            "Set the clock of the front end (`future_tolerance_ms`).",
            fields="the time",
        ),
        Reason("EVENT_BEFORE_CONTRACT", INVALID, "The event began before the contract did.", fields="the time"),
        Reason("REGION_UNKNOWN", INVALID, "There is no such region, nor network abroad.", fields="the place"),
        Reason(
            "ATTRIBUTE_TOO_LONG",
            INVALID,
            "Name or value of an attribute is empty or too long.",
            fields="the attributes",
        ),
        Reason("LIST_TOO_LONG", INVALID, "A list has more entries than are read.", fields="the path of the list"),
        Reason(
            "NAME_MALFORMED", INVALID, "A name is empty, too long, or not printable.", fields="the path of the name"
        ),
        Reason("TEXT_TOO_LONG", INVALID, "A text is longer than is kept.", fields="the path of the text"),
        Reason(
            "TEXT_MALFORMED",
            INVALID,
            "A text has control characters or ends of lines.",
            "Write it on one line.",
            fields="the path of the text",
        ),
        Reason(
            "REQUEST_TOO_LARGE",
            INVALID,
            "The request is larger than one may be.",
            "Send less in one: 100 kB with a command, 8 kB for a session step.",
            fields="the command",
            facts=("limit",),
        ),
        Reason(
            "BATCH_TOO_LARGE",
            INVALID,
            "A batch holds more requests than one may.",
            "Send several.",
            fields="requests",
            facts=("limit",),
        ),
        Reason(
            "CURSOR_UNKNOWN",
            INVALID,
            "No page of the history begins there.",
            "Send `next_cursor` of the page before.",
            fields="the cursor",
        ),
        Reason(
            "PAGE_MALFORMED",
            INVALID,
            "The cursor of a page was cut off or changed.",
            "Send `next_cursor` of the page before, to the letter.",
            fields="the cursor",
        ),
        Reason(
            "PAGE_FOREIGN",
            INVALID,
            "The cursor is of another list: another account, another view, or other things asked for.",
            "Ask for the first page without one.",
            fields="the cursor",
        ),
        Reason(
            "USE_TOO_MUCH",
            INVALID,
            "More was used in the time than is compared in one go.",
            "Ask for a shorter time, or for fewer services.",
            fields="the time",
        ),
        Reason(
            "PAGE_TOO_OLD",
            NOT_FOUND,
            "The journal is not kept any more from that page on.",
            "Begin with the first page, or with a later time.",
        ),
        Reason(
            "TIMES_MALFORMED",
            INVALID,
            "The time asked for ends before it begins, or is longer than is looked through.",
            fields="the moment",
        ),
        Reason(
            "PATTERN_MALFORMED",
            INVALID,
            "A pattern of use is empty, too large, or names hours or weekdays that there are not.",
            fields="the path of the use",
        ),
        Reason(
            "AMOUNT_OUT_OF_RANGE",
            INVALID,
            "An amount is outside of what may be written there.",
            fields="the path of the amount",
        ),
        Reason("UNIT_UNKNOWN", INVALID, "A book counts money, seconds, bytes or events.", fields="the unit"),
        Reason(
            "IDENTITY_MISMATCH", INVALID, "A contract names another identity than the request.", fields="the identity"
        ),
        Reason("CURRENCY_MALFORMED", INVALID, "The currency is no code of ISO 4217.", fields="the currency"),
        Reason(
            "PREVIEW_IMPOSSIBLE",
            INVALID,
            "The command can't be told beforehand: it opens an account, steps a session, or rests on an old charge.",
            fields="the command",
        ),
    ),
)

ACCESS = Section(
    "The way in",
    "desk",
    (
        Reason(
            "CHANNEL_UNKNOWN",
            DENIED,
            "The access channel is missing, or the directory has none such.",
            "Open it in the directory, or use another.",
            fields="the channel",
            also=INVALID,
        ),
        Reason(
            "CHANNEL_CLOSED",
            DENIED,
            "The access channel is closed.",
            "Open it in the directory, or use another.",
            fields="the channel",
        ),
        Reason("PARTNER_MISSING", INVALID, "The channel is for partners, and none is named.", fields="the partner"),
        Reason("PARTNER_UNKNOWN", DENIED, "The directory has no such partner.", fields="the partner", also=INVALID),
        Reason("PARTNER_INACTIVE", DENIED, "The partner is not active.", fields="the partner"),
    ),
)
