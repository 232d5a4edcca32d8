"""What the evidence brings: a collection in the directory's unit, or in a second party's."""

from runtime.room import DIRECTORY, Collection, Room

ANCHOR = Collection("anchor", DIRECTORY, "newest", "where each slot's journal stood")

ROOM = Room("evidence", collections=(ANCHOR,))
