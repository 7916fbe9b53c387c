# GLD inside the detector, which is not in the paper (docs/faithful.md)
_base_ = '../_base_/pairs/pair_ssd300_r34_r18_voc.py'

model = dict(
    type='mmrazor.GLDDistill',
    distiller=dict(
        type='mmrazor.DenseGLDDistiller', cls_out_channels=21, gather=True))
