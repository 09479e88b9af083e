# The same locks and the same build as `make run`: the client, the package, and what runs.
FROM node:20-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

# This one has a compiler, for the forwarding loop.
FROM python:3.11-bookworm AS package
WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src/ src/
COPY migrations/ migrations/
COPY --from=web /src/src/peermeet/web/ src/peermeet/web/
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel .

FROM python:3.11-slim-bookworm
COPY requirements.lock /tmp/
COPY --from=package /wheel /tmp/wheel
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && pip install --no-cache-dir --no-deps /tmp/wheel/*.whl \
    && rm -r /tmp/wheel /tmp/requirements.lock \
    && useradd --system --create-home --home-dir /var/lib/peermeet peermeet
USER peermeet
WORKDIR /var/lib/peermeet
ENV PEERMEET_DATA=/var/lib/peermeet/data PEERMEET_HOST=0.0.0.0 PEERMEET_MEDIA_WORKERS=1
VOLUME /var/lib/peermeet
EXPOSE 8000/tcp 8000/udp
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=5)"]
CMD ["peermeet", "serve"]
