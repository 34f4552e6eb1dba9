"""Pictures and clips out of words: what is wished, how it is made at a provider, and what becomes of it."""
