"""tradectl, the command line of the operator."""
