"""Tables, every SELECT, and the standing that is kept in step with the decisions. SQL lives here alone."""
