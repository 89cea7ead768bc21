"""Delay and CPU of the bridge between RTMP and WebRTC: ``python -m bench.bridge``."""
