"""Load on the room socket: plain WebSocket clients over loopback. See ``__main__``."""
