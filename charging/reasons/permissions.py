"""Reasons about who may do what; see `docs/permissions.md` and `docs/tls.md`."""

from charging.reasons.reason import DENIED, UNAVAILABLE, Reason, Section

PERMISSIONS = Section(
    "Permissions",
    "desk",
    (
        Reason(
            "ROLE_NOT_ALLOWED",
            DENIED,
            "The certificate has another role; without TLS, the caller is another user.",
            "See [TLS](tls.md).",
        ),
        Reason("CERTIFICATE_REVOKED", DENIED, "The certificate is in the list `tls_revoked`.", "Get another one."),
        Reason(
            "CERTIFICATE_ENDED",
            UNAVAILABLE,
            "The stream outlived its certificate.",
            "Replace the files: the link dials again with the new ones.",
        ),
        Reason(
            "ORIGIN_NOT_ALLOWED",
            DENIED,
            "A command of the tiers came from another caller than the tier that makes it.",
            "Somebody forges messages: find out who.",
        ),
        Reason(
            "COMMAND_NOT_GRANTED",
            DENIED,
            "The principal is not granted the command.",
            "See [permissions](permissions.md).",
        ),
        Reason("CHANNEL_NOT_GRANTED", DENIED, "The principal is not granted the channel."),
        Reason("PARTNER_NOT_GRANTED", DENIED, "The principal is not granted the partner."),
        Reason("REGION_NOT_GRANTED", DENIED, "The principal is not granted the region."),
        Reason("ACTOR_NOT_GRANTED", DENIED, "The principal may not act in another's name.", "Leave the actor empty."),
        Reason("AMOUNT_NOT_GRANTED", DENIED, "The principal is not granted so much.", facts=("limit",)),
    ),
)
