"""Deciding: requests as items, who may send them, who goes next, and the desk that decides on memory."""
