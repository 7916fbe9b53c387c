# Copyright (c) gld_mm authors. All rights reserved.
from .feature_with_classifier_recorder import FeatureWithClassifierRecorder

__all__ = ['FeatureWithClassifierRecorder']
