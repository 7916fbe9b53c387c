# GLD inside the network, which is not in the paper (docs/faithful.md)
_base_ = [
    '../_base_/pairs/pair_deeplabv3plus-plain_r34_r18_coco.py',
    '../_base_/distillers/gld_seg.py',
]

model = dict(type='mmrazor.GLDDistill', distiller=_base_.gld)
