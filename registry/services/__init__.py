"""Use cases. Each function is given a connection, an instant and who asks; it neither begins nor commits.

The transaction belongs to the caller at the edge (:mod:`registry.http`, :mod:`registry.cli`): one for each
request or command, so that what is stored beside a change (the answer kept for an ``Idempotency-Key``, the
state of an import) is committed with it or not at all.
"""
