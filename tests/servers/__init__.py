"""The servers that Jointo runs on, started for tests on loopback, broken on purpose, and gone afterwards.

All have one interface: `start`, `stop`, `kill`, `restart`, `pause`, `resume`, and the `url` that Jointo takes.
`with Postgres() as server:` starts one, and leaves no process and no file behind.
"""
