# GLD, table 1, setup (b)
_base_ = '../_base_/pairs/pair_wrn16-2_wrn16-1_cifar100.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
