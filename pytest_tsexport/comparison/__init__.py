"""answers -> equal or not: how far two answers may differ, and which differences are not faults."""
