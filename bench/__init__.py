"""What PeerMeet costs, measured against yardsticks built on the spot."""
