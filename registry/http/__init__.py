'''The register over HTTP. A view is thin: it loads, asks whose the resource is, calls one service, and dumps.

How a view is written here, in a module of ``public/`` or ``admin/``::

    blueprint = Blueprint("courses", __name__, url_prefix="/v1/admin/courses", description="Courses")


    class NewCourseSchema(RequestSchema):  # component "NewCourse"; unknown members are refused
        """A course to be kept."""

        body = BodyCode(required=True)
        title = Text(200, required=True)
        techniques = SetOf(Word(Technique), least=1, required=True)


    class CourseSchema(ResponseSchema):  # dumps any object with these attributes; every member is present
        id = Id()
        title = Text(200)
        techniques = SetOf(Word(Technique))


    @blueprint.operation("POST", "", body=NewCourseSchema, answer=CourseSchema, status=201)
    def create_course(tx: Connection, given: dict[str, Any]) -> Answer:
        """Keep a course."""  # the summary in OpenAPI; further paragraphs are its description
        body = get_body(tx, given.pop("body"))
        require_body(body.id)
        course = courses.add_course(tx, body, **given, by=current_principal().name, at=clock.now())
        location = url_for("courses.get_course", course_id=course.id)
        return Answer(course, version=course.version, location=location)


    @blueprint.operation("GET", "/<id:course_id>", answer=CourseSchema)
    def get_course(tx: Connection, course_id: str) -> Answer: ...


    @blueprint.operation("PATCH", "/<id:course_id>", body=CourseChangeSchema, answer=CourseSchema,
                         changes_version=True)
    def change_course(tx: Connection, course_id: str, given: dict[str, Any], version: int) -> Answer: ...

- **Declare it** in :data:`registry.http.access.ACCESS` under the view's name, which is its operationId and
  must be unique; and add the module to ``app.py``. A view under an ``own_body`` rule calls
  ``require_body(body_id)``, or for lists ``own_body(body_id_or_none)``; one that forgets answers 500.
- **What it is given**, by name: ``tx`` (first), the variable parts of the path (``<id:...>``,
  ``<code:...>``, ``<number:...>``, see :mod:`.paths`), ``given`` (the loaded body, or form), ``query`` (the
  loaded arguments), ``version`` (from ``If-Match``, where ``changes_version``; pass it to the service,
  which raises ``Stale``).
- **The transaction**: one for each request, opened and committed by the operation; never by a view or a
  service. A GET reads without one. A POST that changes nothing says ``reads_only=True``. Every other POST
  honours ``Idempotency-Key``: its answer is stored in the transaction of the change.
- **What it returns**: a value for the schema, an :class:`~.answers.Answer` (version, location, max_age), a
  page (:func:`.cursors.page_of`, with ``position`` and ``page_schema``), or a ready ``Response``. GETs
  carry an ETag and answer 304 by themselves. Public answers give ``max_age`` in seconds; all others are
  ``no-store``.
- **Failures** are errors of :mod:`registry.errors`; :mod:`.problems` makes problem documents of them.
- **A route too hot for all this** says ``raw=True``: it is called as it is, reads ``request.args`` itself,
  and returns a ready response; the declaration (``query=``, ``answer=``) then only describes it.
- **The path is described by its converters**, everything else by the schemas: no OpenAPI is written by
  hand.
'''
