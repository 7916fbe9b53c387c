_base_ = 'mmpretrain::_base_/default_runtime.py'

custom_imports = dict(imports=['gld_mm'], allow_failed_imports=False)

default_hooks = dict(checkpoint=dict(max_keep_ckpts=3))

custom_hooks = [
    # A resumed run draws the random numbers of an uninterrupted one.
    dict(type='EpochSeedHook'),
    # A loss that is not finite ends the run, and says which.
    dict(type='FiniteLossHook'),
    # A pretrained checkpoint has to fit in every weight.
    dict(type='PretrainedCheckHook'),
]
