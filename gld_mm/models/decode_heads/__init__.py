# Copyright (c) gld_mm authors. All rights reserved.
"""Heads for mmsegmentation. Not imported by ``import gld_mm``, which does
without mmsegmentation: a config that has one names this package, too.
"""
from .deeplabv3plus_head import DeepLabV3PlusHead

__all__ = ['DeepLabV3PlusHead']
