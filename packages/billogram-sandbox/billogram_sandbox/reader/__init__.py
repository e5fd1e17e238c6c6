"""The invoice as its reader has it: the page behind the link in the letter, and the PDF. What happens to a billogram
lives in life; nothing here computes what is owed."""
