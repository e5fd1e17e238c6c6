"""Pure rules of a billogram: sums, states, OCR numbers, interest, legal limits."""
