"""Events, and the callbacks that carry them: queue, signatures, sender."""
