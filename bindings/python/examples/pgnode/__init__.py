"""What `postgres_node` is made of."""
