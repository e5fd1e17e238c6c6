"""The callback receiver and its relay: verify, store, answer; then translate, record, and tell the contract."""
