"""What leaves for a receiver's webhook: which targets are fit, what signs a message, one attempt, the next.

Knows no database: whoever keeps subscriptions asks it what to do and records what it says.
"""
