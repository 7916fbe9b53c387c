# KD, supplementary 3.1, CUB
_base_ = [
    '../_base_/pairs/pair_r34_r18_cub200.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
