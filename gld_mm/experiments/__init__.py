# Copyright (c) gld_mm authors. All rights reserved.
from .cell import Cell, paper_cells
from .plan import with_needs
from .report import draw_curves, spread, table
from .results import Results
from .run import Run, RunFailed
from .scheduler import Scheduler

__all__ = [
    'Cell', 'Results', 'Run', 'RunFailed', 'Scheduler', 'draw_curves',
    'paper_cells', 'spread', 'table', 'with_needs'
]
