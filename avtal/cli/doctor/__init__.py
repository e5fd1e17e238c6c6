"""`avtal doctor`: checks a whole installation."""
