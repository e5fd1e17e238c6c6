"""Problem details (RFC 9457): which error becomes which response."""
