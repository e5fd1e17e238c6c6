"""What a process tells of its work, on a floor that every other may use: whom the work concerns, and its trace."""
