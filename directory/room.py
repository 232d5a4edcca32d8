"""What the directory brings: collections of its unit, beside the control log."""

from runtime.room import DIRECTORY, Collection, Room

OWNER = Collection("owner", DIRECTORY, "all", "who owns which slot")
MEMBER = Collection("member", DIRECTORY, "all", "live domain servers")

ROOM = Room("directory", collections=(OWNER, MEMBER))
