"""The same question about the same people in other frameworks, each written as its documentation advises.

What each peer is, how it is run and what is fair about it: bench/README.md. Peers run in an environment of
their own, so their modules import nothing of the register, and the register nothing of theirs.
"""
