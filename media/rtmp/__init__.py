"""RTMP: the protocol without I/O, its server, and the hub of live streams that RTMP, FLV and the bridge to WebRTC share."""
