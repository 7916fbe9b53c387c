# Copyright (c) gld_mm authors. All rights reserved.
from .arguments import figure_parser, figure_path, save_figure
from .logits import global_local_logits_of
from .networks import feature_maps_of, load_network
from .samples import Sample, load_metainfo, load_samples

__all__ = [
    'Sample', 'feature_maps_of', 'figure_parser', 'figure_path',
    'global_local_logits_of', 'load_metainfo', 'load_network', 'load_samples',
    'save_figure'
]
