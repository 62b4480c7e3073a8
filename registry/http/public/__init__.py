"""What anyone may ask, without a key."""
