"""a difference -> why: explains a failure, and never decides one."""
