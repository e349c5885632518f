# Tepat's API. Built with `docker build -t tepat .`; docs/deployment.md says how it is run.
# Parts come from wherever pip on the building machine is told to look, and must have the hashes of the lock.
FROM python:3.11-slim-bookworm AS made

WORKDIR /opt/tepat
COPY requirements-bootstrap.txt requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt \
    && .venv/bin/uv pip install --no-cache --python .venv/bin/python --require-hashes --compile-bytecode -r requirements.lock

COPY pyproject.toml README.md LICENSE params.yaml ./
COPY features features
COPY training training
COPY targeting targeting
COPY serving serving
RUN .venv/bin/uv pip install --no-cache --python .venv/bin/python --no-deps --no-build-isolation -e . \
    && .venv/bin/python -m compileall -q features training targeting serving


FROM python:3.11-slim-bookworm

# Code belongs to root and cannot be changed by the service; these three folders are its own.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin tepat \
    && install -d -o tepat -g tepat -m 0700 /opt/tepat/data /opt/tepat/mlruns /opt/tepat/reports
COPY --from=made /opt/tepat /opt/tepat
# Registers handed over on the page change it: it lies where the service may write.
RUN ln -s data/run.yaml /opt/tepat/run.yaml

# Nothing is sent anywhere. What libraries keep goes to /tmp.
ENV PATH=/opt/tepat/.venv/bin:$PATH \
    DVC_NO_ANALYTICS=1 MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true GIT_PYTHON_REFRESH=quiet \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE \
    HOME=/tmp MPLCONFIGDIR=/tmp NUMBA_CACHE_DIR=/tmp

WORKDIR /opt/tepat
USER tepat
VOLUME ["/opt/tepat/data", "/opt/tepat/mlruns", "/opt/tepat/reports"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

# 0.0.0.0 is every address inside the container only. Publish the port to this machine alone: -p 127.0.0.1:8000:8000
CMD ["tepat", "serve", "--host", "0.0.0.0", "--port", "8000"]
