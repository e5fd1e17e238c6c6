"""Events for the publisher: their types, their payloads, and the endpoints they may be sent to."""
