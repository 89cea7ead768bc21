"""Load on a media node: real ICE, DTLS and SRTP sessions over loopback. See ``__main__``."""
