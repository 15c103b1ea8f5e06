"""Great Expectations suites at the two boundaries: what comes in and what goes out."""
