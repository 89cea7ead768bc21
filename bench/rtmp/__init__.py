"""How many players of sound one core serves over RTMP, beside nginx's rtmp module."""
