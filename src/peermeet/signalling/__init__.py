"""The WebSocket side: one socket a person."""
