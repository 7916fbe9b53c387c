# Copyright (c) gld_mm authors. All rights reserved.
import json
from pathlib import Path
from typing import Iterator


def read_scalars(path: Path) -> Iterator[dict]:
    """Read what mmengine logged, a line each.

    Args:
        path (Path): A file of JSON lines.

    Yields:
        dict: Scalars by name. A line that a kill cut off is left out.
    """
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
