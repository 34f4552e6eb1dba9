"""Reads screenplays: what comes in as a file goes out as scenes, characters and props.

    script = read(data, name="pilot.fdx")
    for episode in episodes(script): ...
    breakdown = break_down(script)

Plain Python: no Django, no Celery. See docs/decisions/0020 for what is inferred, and how sure that is.
"""
