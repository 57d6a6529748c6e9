"""marker, options -> what was asked: the policy of a test, checked."""
