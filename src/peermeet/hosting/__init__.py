"""Who runs which circle, and in what order things happen."""
