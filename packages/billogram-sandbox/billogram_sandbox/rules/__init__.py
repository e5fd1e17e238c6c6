"""What holds of a billogram whoever asks: its sums, states, and numbers, its interest, and what the law allows."""
