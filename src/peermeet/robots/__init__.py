"""Robots: participants without a person, for a demonstration, a practice room or a load test.

They are ordinary clients. Nothing here may import more of the server than its protocol and core.
"""
