"""A second implementation, in JavaScript, of what SPEC.md says: see README.md."""
