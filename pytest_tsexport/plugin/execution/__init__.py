"""items -> verdicts: the function is called once a subject, and each item ends as its verdict says."""
