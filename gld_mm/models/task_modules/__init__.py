# Copyright (c) gld_mm authors. All rights reserved.
from .feature_with_classifier_recorder import FeatureWithClassifierRecorder
from .score_maps_recorder import ScoreMapsRecorder

__all__ = ['FeatureWithClassifierRecorder', 'ScoreMapsRecorder']
