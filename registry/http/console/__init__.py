"""The console: pages in which registrars, auditors and operators do their work, on the API's services.

How a page is written, in a module of an area (``lapses.py``), with templates ``templates/lapses*.html`` and,
if it needs any, a style ``static/lapses.css``::

    @page("/lapses", query=LapsesSchema)  # GET; reads, or writes nothing but the audit
    def console_lapses(tx: Connection, query: dict[str, Any]) -> Shown:
        body = working_body(tx)  # the registrar's own; the one that an operator chose above
        return show("lapses.html", body=body, found=lapses.list_lapses(tx, body, **query))


    @action("/lapses/<id:lapse_id>/note", form=NoteSchema, again=console_lapse)  # POST; one transaction
    def console_note_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Done:
        lapse = lapses.get_lapse(tx, lapse_id)
        require_body(lapse.body_id)
        lapses.note(tx, lapse, given["note"], by=current_principal().name, at=clock.now())
        return done("The note is kept.", "console_lapse", lapse_id=lapse_id)

- **Declare it** in :data:`registry.http.access.ACCESS` under the view's name, which begins with
  ``console_`` and is unique; use the same rule as the operation of the API that does the same. Name the
  module in :data:`AREAS` below, so that it is imported. A page whose name is in :data:`.navigation.ITEMS`
  appears in the navigation for those who may use it.
- **Who it is**: :func:`registry.http.access.current_principal`, ``require_body`` and ``own_body`` work as
  in the API; a view under an ``own_body`` rule that forgets to ask answers 500.
  :func:`.bodies.working_body` asks by itself.
- **What it is given**, by name: ``tx``, the variable parts of the path, ``query`` (loaded by a
  :class:`registry.http.fields.QuerySchema`), ``given`` (by a :class:`.forms.FormSchema`; a field left empty
  is as if it was not sent). Files are in ``request.files``; ``largest_body="MAX_IMPORT_BYTES"`` lets them
  be large.
- **What it returns**: :func:`show` (a template and what it needs), :func:`done` (303 to a page, with a
  sentence that it shows once), or a ready ``Response``.
- **Transactions and the audit** are the frame's: a page reads in one
  (:func:`registry.store.database.reading`) and tells whose withheld records it showed (call
  ``sees_withheld`` as the API does); an action writes in one and tells the change. An action that only
  previews says ``reads_only=True``, and may ``show`` what would be.
- **What goes wrong in an action** is shown on the page of ``again``, rendered with what was typed:
  ``again`` is a page's view, called with those parts of the path that it takes. ``Invalid`` marks the
  fields that its pointers name (``/note``), and ``Conflict``, ``Stale``, ``Unmet`` and ``Senseless`` are
  told above the form with their particulars. In templates the macros do all this; ``form.value(name,
  recorded)`` is what was typed, or what is recorded.
- **Edits of what others may edit at the same time**: put the version that the page was made from into the
  form (``{{ ui.version(thing.version) }}``), pass ``given["version"]`` (a :class:`.forms.Version` field) to
  the service, which raises ``Stale``. The page is then shown anew, with what is recorded now beside what
  was typed, and with the new version: a second sending is by somebody who has seen it.
- **Templates** extend ``base.html`` and use ``{% import "ui.html" as ui with context %}``: see the macros
  there. Text from the register needs no more than ``{{ }}`` (escaped, contained in its own direction); put
  names and other words of people into ``<bdi>``. No inline style and no inline script: the policy forbids
  both. A page works without JavaScript.
- **Links**: ``{{ link("console_lapse", lapse_id=lapse.id) }}``; ``{{ here(sort="-due", after=None) }}`` is
  this page with other arguments; ``may("console_note_lapse")`` is whether who asks may use it.
- **Filters** in templates: ``day``, ``moment`` (in a zone), ``words`` (``in_force`` as "in force"),
  ``number``.
"""

from __future__ import annotations

from flask import Flask

from registry.http.problems import show_problems_with
from registry.http.sessions import SignedOut

from . import (
    audit,
    bodies,
    decide,
    home,
    imports,
    lapses,
    merging,
    notices,
    people,
    person,
    privacy,
    rules,
    signing_in,
)
from .pages import blueprint
from .problems import ask_to_sign_in, problem_page

AREAS = (
    signing_in,
    bodies,
    home,
    person,
    decide,
    people,
    merging,
    lapses,
    rules,
    imports,
    notices,
    privacy,
    audit,
)
"""The modules whose pages there are."""


blueprint.register_error_handler(SignedOut, ask_to_sign_in)


def register_console(app: Flask) -> None:
    """Serve the console."""
    app.register_blueprint(blueprint)
    show_problems_with(app, problem_page, blueprint.name)
