"""What was asked: the rows of options and keywords, the policy made from them, and the interface baseline."""
