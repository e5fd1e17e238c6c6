"""The demo: a year of contracts on the embedded stack, shown live and checked."""
