# GLD, noisy digits
_base_ = '../_base_/pairs/pair_r14_r8_digits.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
