"""Calls of charging sessions (3GPP TS 32.290): create, update, release."""

from collections.abc import Sequence
from typing import Unpack

from onetier.v1 import service_desk_pb2 as desk

from onetier_client import requests as build
from onetier_client.asking import Asking

_CREATE = desk.SessionRequest.OPERATION_CREATE
_UPDATE = desk.SessionRequest.OPERATION_UPDATE
_RELEASE = desk.SessionRequest.OPERATION_RELEASE


class Sessions(Asking):
    """One call a step. Quantities are base units of the service (seconds, bytes, events), amounts micro-units.

    A step is sent under a request key like any command, and has its number besides: the newest step, sent again under
    whatever key, is answered as before (invocationSequenceNumber of TS 32.291; CC-Request-Number, RFC 8506, 8.2).
    """

    async def session(
        self, identity: str, step: desk.SessionRequest, **facts: Unpack[build.Facts]
    ) -> desk.SessionResult:
        """Take one step of a charging session: create, update or release."""
        return (await self.ask(build.execute(identity, step, **self._with({}, facts)))).session

    async def session_create(
        self, identity: str, session_id: str, units: Sequence[desk.UnitUse], **facts: Unpack[build.Facts]
    ) -> desk.SessionResult:
        """Begin a charging session and ask for quota."""
        return await self.session(identity, build.session(session_id, _CREATE, 0, units), **facts)

    async def session_update(
        self,
        identity: str,
        session_id: str,
        invocation: int,
        units: Sequence[desk.UnitUse],
        **facts: Unpack[build.Facts],
    ) -> desk.SessionResult:
        """Report what was used and ask for more; `invocation` counts 1, 2, …

        What was used is counted since the last report, in base units. Raises `NotFound` SESSION_UNKNOWN once it has
        ended, `Invalid` INVOCATION_AHEAD when a step is missing.
        """
        return await self.session(identity, build.session(session_id, _UPDATE, invocation, units), **facts)

    async def session_release(
        self,
        identity: str,
        session_id: str,
        invocation: int,
        units: Sequence[desk.UnitUse],
        **facts: Unpack[build.Facts],
    ) -> desk.SessionResult:
        """Report the last use and end the session; what is left of its quota is free again."""
        return await self.session(identity, build.session(session_id, _RELEASE, invocation, units), **facts)
