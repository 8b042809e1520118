"""A chain of coffee shops with its regulars, made through the same doors as everything else."""
