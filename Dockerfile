# Hearth as an image: `docker build -t hearth-rtc .`. Everything it installs is fixed in requirements.lock, with hashes.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/hearth
# Dependencies first: this layer is made anew only when the lock file changes.
COPY requirements.lock ./
RUN /opt/hearth/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY auth ./auth
COPY rooms ./rooms
COPY media ./media
COPY calls ./calls
COPY signaling ./signaling
COPY server ./server
RUN /opt/hearth/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/hearth --shell /usr/sbin/nologin hearth \
 && install -d -o hearth -g hearth /var/lib/hearth
COPY --from=build /opt/hearth /opt/hearth
ENV PATH=/opt/hearth/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEARTH_SERVER__HOST=0.0.0.0
USER hearth
# A hearth.toml mounted here is found; what Hearth makes itself goes to .hearth in it.
WORKDIR /var/lib/hearth
EXPOSE 8080/tcp 1935/tcp 7000/udp 3478/udp
# SIGTERM drains (server.drain_seconds): give `docker stop` more time than that.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('HEARTH_SERVER__PORT', '8080') + '/healthz', timeout=2)"]
ENTRYPOINT ["hearth"]
CMD ["serve"]
