"""The states of a billogram, and named sets of them. Transitions: `lifecycle/commands.py`, `lifecycle/schedule.py`."""

UNATTESTED, UNPAID, PARTLY_PAID, OVERDUE = "Unattested", "Unpaid", "PartlyPaid", "Overdue"
REMINDERS = ("Reminder_1", "Reminder_2", "Reminder_3", "Reminder_Many")
COLLECTING, COLLECTION, COLLECTOR_ENDED = "Collecting", "Collection", "CollectorEnded"
PAID, CREDITED, ENDED, DELETED = "Paid", "Credited", "Ended", "Deleted"
FACTORING, FACTORING_DENIED, SOLD = "Factoring", "FactoringDenied", "Sold"

UNPAID_FAMILY = frozenset({UNPAID, PARTLY_PAID, OVERDUE, *REMINDERS})
AT_COLLECTOR = frozenset({COLLECTING, COLLECTION})
OPEN = UNPAID_FAMILY | AT_COLLECTOR
OWED = OPEN | {COLLECTOR_ENDED}
CREDITABLE = UNPAID_FAMILY | {PAID, ENDED, SOLD}
LOSABLE = UNPAID_FAMILY | {COLLECTION, COLLECTOR_ENDED}
REOPENED_BY_RECALL = UNPAID_FAMILY | {PAID, CREDITED}
NOT_ENDED = OPEN | {UNATTESTED, FACTORING, FACTORING_DENIED}
EVERY = NOT_ENDED | {COLLECTOR_ENDED, SOLD, PAID, CREDITED, ENDED}
