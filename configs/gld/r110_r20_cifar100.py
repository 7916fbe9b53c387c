# GLD, table 1, setup (a)
_base_ = '../_base_/pairs/pair_r110_r20_cifar100.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
