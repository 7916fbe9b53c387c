_base_ = 'mmpretrain::_base_/models/resnet18.py'

model = dict(
    # He initialisation, without starting each branch from zero
    backbone=dict(zero_init_residual=False),
    # torch's own init of a linear layer (docs/faithful.md)
    head=dict(init_cfg=None))
