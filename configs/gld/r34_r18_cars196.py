# GLD, supplementary 3.1, StanfordCars
_base_ = '../_base_/pairs/pair_r34_r18_cars196.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))
