"""Scripts, characters, props and scenes, and what AI makes of them: the floor above videos. Comes with its issues."""
