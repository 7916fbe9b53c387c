# Copyright (c) gld_mm authors. All rights reserved.
from .two_digit_numbers import TwoDigitNumbers

__all__ = ['TwoDigitNumbers']
