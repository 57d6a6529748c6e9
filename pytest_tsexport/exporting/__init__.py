"""Makes the artifact of a subject, in an isolated process if need be, and opens it."""
