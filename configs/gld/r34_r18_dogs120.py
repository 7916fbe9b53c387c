# GLD, supplementary 3.1, StanfordDogs
_base_ = '../_base_/pairs/pair_r34_r18_dogs120.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
