_base_ = ['mmpretrain::_base_/default_runtime.py', './gld_runtime.py']

default_hooks = _base_.gld_default_hooks
custom_hooks = _base_.gld_custom_hooks
