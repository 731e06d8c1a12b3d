# One image for every program of ours; docker-compose.yml says which runs.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements.txt ./
RUN /opt/venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY worker worker
COPY tasks tasks
# An application, not a library: it stays in its folder, and only the command `fulfil` is made.
RUN /opt/venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q config worker tasks

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 fulfil \
    && useradd --uid 10001 --gid fulfil --no-create-home --home-dir /var/lib/fulfil --shell /usr/sbin/nologin fulfil \
    && install --directory --owner fulfil --group fulfil --mode 0700 /var/lib/fulfil
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FULFIL_HOME=/var/lib/fulfil
WORKDIR /app
USER 10001:10001
CMD ["fulfil", "--help"]
