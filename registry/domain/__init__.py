"""The rules of the register: decisions, timelines, verdicts, eligibility, names.

Standard library only. Nothing here reads a clock, a setting, a file or a database: every date and
every instant is an argument, so an answer can be asked for any day as it was known at any moment.
"""
