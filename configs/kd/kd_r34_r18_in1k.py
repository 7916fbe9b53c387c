# KD, table 3
_base_ = [
    '../_base_/pairs/pair_r34_r18_in1k.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
