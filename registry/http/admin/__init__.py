"""What registrars and operators do, with a key."""
