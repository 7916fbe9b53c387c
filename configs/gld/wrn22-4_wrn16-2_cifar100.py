# GLD, table 1, setup (c)
_base_ = '../_base_/pairs/pair_wrn22-4_wrn16-2_cifar100.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
