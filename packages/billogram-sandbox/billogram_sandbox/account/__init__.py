"""The account: settings, creditor, pictures, reports."""
