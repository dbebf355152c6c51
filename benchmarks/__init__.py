"""Speed, measured on the real service over real sockets; never asserted in a test."""
