# Copyright (c) gld_mm authors. All rights reserved.
"""Warn of what can be trained on, but may not be meant."""
import logging

from mmengine.logging import print_log


def warn(line: str) -> None:
    """Write a line into the log of the run."""
    print_log(line, logger='current', level=logging.WARNING)
