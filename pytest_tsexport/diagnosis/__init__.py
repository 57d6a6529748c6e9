"""a difference -> why: what explains a failure, and never decides one."""
