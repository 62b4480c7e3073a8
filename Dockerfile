ARG BASE=python:3.11-slim

# Everything is installed into one folder, which the image proper takes over without the tools that made it.
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/registry
COPY requirements/run.txt /src/requirements/run.txt
RUN /opt/registry/bin/pip install --require-hashes -r /src/requirements/run.txt
COPY pyproject.toml README.md LICENSE /src/
COPY migrations /src/migrations
COPY registry /src/registry
RUN /opt/registry/bin/pip install --no-deps --no-build-isolation /src \
    && /opt/registry/bin/pip uninstall --yes setuptools pip

FROM ${BASE}
LABEL org.opencontainers.image.title="needling-registry" \
      org.opencontainers.image.description="A register of physiotherapists and their dry-needling authorizations" \
      org.opencontainers.image.licenses="Apache-2.0"

# /data is for a register kept in SQLite; with PostgreSQL nothing is written outside /tmp.
RUN useradd --no-log-init --uid 10001 --home-dir /srv/registry --create-home --shell /usr/sbin/nologin registry \
    && install --directory --owner=registry --group=registry /data
COPY --from=build /opt/registry /opt/registry
COPY gunicorn.conf.py /srv/registry/

ENV PATH=/opt/registry/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    REGISTRY_DATABASE_URL=sqlite:////data/register.db \
    REGISTRY_HOST=0.0.0.0
WORKDIR /srv/registry
USER 10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]

# The database is brought to the newest schema by the same image: docker run ... registry migrate
CMD ["gunicorn"]
