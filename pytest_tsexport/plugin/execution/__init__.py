"""Items as verdicts: the function is called once for a subject, and each item ends as its verdict says."""
