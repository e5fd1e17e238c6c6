"""The demo: runs a year of contracts on the embedded stack, shows it live, and checks it."""
