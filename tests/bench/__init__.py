"""How fast the product is, as a ratio to what PostgreSQL itself takes for the same rows, both measured in one run."""
