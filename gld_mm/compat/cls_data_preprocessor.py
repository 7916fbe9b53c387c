# Copyright (c) gld_mm authors. All rights reserved.
"""A classifier inside an mmrazor-scoped model cannot build its preprocessor.

mmpretrain's ``ImageClassifier`` names its default ``ClsDataPreprocessor``
without a scope, so it is looked up in the registry of the current scope; in
mmrazor's it is unknown. mmrazor 1.0.0 was written for mmcls, which is gone.

Upstream: https://github.com/open-mmlab/mmrazor/issues/546
"""


def is_faulty() -> bool:
    """Whether mmrazor's registry lacks the preprocessor."""
    from mmrazor.registry import MODELS
    return 'ClsDataPreprocessor' not in MODELS.module_dict


def repair() -> None:
    """Register mmpretrain's class under the same name in mmrazor too."""
    # Imported here, that is after the repair of what it imports.
    from mmpretrain.models import ClsDataPreprocessor
    from mmrazor.registry import MODELS
    MODELS.register_module(module=ClsDataPreprocessor)
