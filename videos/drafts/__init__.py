"""Drafts of desktop editors become films: what is sent, where its media are, and the body of `render_draft`.

intake ─► a row with its source file ─► render_draft: source ─► processor ─► media ─► film.make ─► publish
"""
