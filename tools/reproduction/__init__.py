# Copyright (c) gld_mm authors. All rights reserved.
from .experiment import Experiment, distilled, paper_experiments
from .report import draw_curves, markdown_table, mean_and_std
from .result import load_results
from .run import Run, read_curves
from .scheduler import execute, with_dependencies

__all__ = [
    'Experiment', 'Run', 'distilled', 'draw_curves', 'execute', 'load_results',
    'markdown_table', 'mean_and_std', 'paper_experiments', 'read_curves',
    'with_dependencies'
]
