# Copyright (c) gld_mm authors. All rights reserved.
from .global_local_logits_recorder import GlobalLocalLogitsRecorder
from .score_maps_recorder import ScoreMapsRecorder

__all__ = ['GlobalLocalLogitsRecorder', 'ScoreMapsRecorder']
