"""What everything else stands on: the database and its documents, the clock, lists, the envelope of answers, faults."""
