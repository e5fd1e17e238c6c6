"""The way in: what a request passes, which address leads to which register, and the description of it all."""
