"""The control plane: the clock, faults, and figures, and what readers, banks, carriers, and collectors do."""
