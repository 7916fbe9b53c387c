# Copyright (c) gld_mm authors. All rights reserved.
from .cinic10 import CINIC10
from .in_memory_dataset import InMemoryDataset
from .stanford_dogs import StanfordDogs
from .stl10 import STL10
from .two_digit_numbers import TwoDigitNumbers

__all__ = [
    'CINIC10', 'InMemoryDataset', 'STL10', 'StanfordDogs', 'TwoDigitNumbers'
]
