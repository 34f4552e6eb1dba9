"""What lies under a folder, also while others write and remove there."""

from __future__ import annotations

import os
from pathlib import Path


def files_under(*roots: Path | str) -> list[Path]:
    """Every file below the folders. A folder that goes meanwhile, as a worker's clean-up takes it, has none."""
    return sorted(Path(folder) / name for root in roots for folder, _, names in os.walk(root) for name in names)
