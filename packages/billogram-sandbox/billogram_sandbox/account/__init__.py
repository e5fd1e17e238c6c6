"""What the account itself has: its settings, who sends its invoices, its pictures, and its reports."""
