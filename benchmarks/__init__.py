"""What Jointo costs, measured against the plainest way to do the same: `bin/bench NAME`."""
