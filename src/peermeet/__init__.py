"""PeerMeet: circles in which everyone gets their turn and the server holds the floor."""

__version__ = "0.1.0"
