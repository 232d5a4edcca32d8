"""What a catalogue must satisfy before it may be published. Pure: a catalogue in, findings out."""
