"""The invoice for its recipient: page and PDF. Computes no sums."""
