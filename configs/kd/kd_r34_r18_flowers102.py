# KD, supplementary 3.1, Flowers102
_base_ = [
    '../_base_/pairs/pair_r34_r18_flowers102.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
