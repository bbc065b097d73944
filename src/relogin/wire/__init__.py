"""RFC 9110 §11 on the wire: fields to values and back, without I/O and without a framework."""
