"""A billogram from draft to end: commands, the schedule, late payment, settlement."""
