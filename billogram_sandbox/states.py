"""The states of a billogram, and the sets of them that decide what is allowed."""

UNATTESTED, UNPAID, PARTLY_PAID, OVERDUE = "Unattested", "Unpaid", "PartlyPaid", "Overdue"
PAID, CREDITED, ENDED, DELETED = "Paid", "Credited", "Ended", "Deleted"

UNPAID_FAMILY = frozenset({UNPAID, PARTLY_PAID, OVERDUE})
CREDITABLE = UNPAID_FAMILY | {PAID}
