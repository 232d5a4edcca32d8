"""Ground under an owner's parts: time, bounds, and records read by key. Nothing here knows another part of the room."""
