"""A register of practitioners and of what their regulatory bodies authorize them to do."""
