"""The texts of the invoice in Swedish and English, and how amounts and dates are written."""
