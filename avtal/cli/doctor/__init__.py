"""`avtal doctor`: checks of a whole installation."""
