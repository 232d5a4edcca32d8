"""What a catalogue can say: the document as written, the merge of nation and region, the difference of two."""
