"""What proves afterwards that nobody rewrote what the owners journaled: keys, seals, anchors."""
