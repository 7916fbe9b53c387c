# Copyright (c) gld_mm authors. All rights reserved.
"""Run a script of any OpenMMLab package with the repairs in place.

``python -m gld_mm.compat path/to/mmrazor/tools/train.py CONFIG [ARGS]``
"""
import runpy
import sys
from pathlib import Path

import gld_mm  # noqa: F401

if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit('usage: python -m gld_mm.compat SCRIPT [ARGS]')
    del sys.argv[0]
    # As Python itself does for a script, so that it finds its neighbours.
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name='__main__')
