"""Collecting: files of switches, taken when they are whole, each content once for ever."""
