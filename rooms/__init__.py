"""The domain: App, Room, User, Session, Stream, and the one service that changes them."""
