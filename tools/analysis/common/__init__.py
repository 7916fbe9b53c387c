# Copyright (c) gld_mm authors. All rights reserved.
from .arguments import (NamedAction, distillation_config, figure_parser,
                        figure_path, network_parser, pair_parser,
                        required_distillation_config, save_figure)
from .logits import (build_distiller, feature_module, global_local_logits,
                     grid_of)
from .networks import feature_maps, load_network
from .samples import Sample, load_metainfo, load_samples

__all__ = [
    'NamedAction', 'Sample', 'build_distiller', 'distillation_config',
    'feature_maps', 'feature_module', 'figure_parser', 'figure_path',
    'global_local_logits', 'grid_of', 'load_metainfo', 'load_network',
    'load_samples', 'network_parser', 'pair_parser',
    'required_distillation_config', 'save_figure'
]
