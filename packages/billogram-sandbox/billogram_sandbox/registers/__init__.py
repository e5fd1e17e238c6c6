"""What billograms are filled from: customers and items; and how a customer pays: mandates and e-invoices."""
