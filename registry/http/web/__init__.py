"""Pages for patients: what the register answers, in plain words, on a phone.

They render the same frozen answers as the API (:mod:`registry.services.look_up`) and decide nothing.
"""
