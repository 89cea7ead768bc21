#!/bin/sh
# Installs what the tests use besides Python packages: Redis, ffmpeg, rtmpdump, coturn, Chromium, Node.js, Go, and the official SDKs from npm.
set -eu
cd "$(dirname "$0")/.."

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need redis-server redis-server
need ffmpeg ffmpeg
need rtmpdump rtmpdump
# Under systemd Debian would start a TURN server of its own on Hearth's port; there the one test that wants coturn is skipped.
[ -d /run/systemd/system ] || need turnserver coturn
need node nodejs
need npm npm
# Only for the Go sample of docs/server-api.md (its test is skipped without it), and large: HEARTH_SKIP_GO=1 leaves it out.
[ -n "${HEARTH_SKIP_GO:-}" ] || need go golang-go
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing for the tests:$missing"
        apt-get update -qq
        # Debian starts a Redis of its own after installing it; the tests start theirs.
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "The tests need:$missing. Install them (Debian, Ubuntu: sudo apt-get install$missing) and try again." >&2
        exit 1
    fi
fi

e2e=tests/e2e
if [ -f "$e2e/package-lock.json" ] && [ ! "$e2e/node_modules/.package-lock.json" -nt "$e2e/package-lock.json" ]; then
    echo "Installing the official SDKs for the end-to-end tests"
    (cd "$e2e" && npm ci --no-audit --no-fund --loglevel=error)
    touch "$e2e/node_modules/.package-lock.json"
fi
