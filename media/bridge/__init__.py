"""Sound between RTMP and FLV, which carry AAC, and WebRTC, which carries Opus."""
