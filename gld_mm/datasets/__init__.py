# Copyright (c) gld_mm authors. All rights reserved.
from .cinic10 import CINIC10
from .in_memory_dataset import InMemoryDataset
from .noisy_digits import NoisyDigits
from .stanford_dogs import StanfordDogs
from .stl10 import STL10

__all__ = [
    'CINIC10', 'InMemoryDataset', 'NoisyDigits', 'STL10', 'StanfordDogs'
]
