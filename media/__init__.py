"""Moves sound: one UDP port, ICE-lite, DTLS, SRTP and the forwarding of Opus packets. Knows nothing of rooms or signalling."""
