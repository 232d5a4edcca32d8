"""Answers that come out of the journal: old outcomes, charges to refund, histories, look-ups."""
