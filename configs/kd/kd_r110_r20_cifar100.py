# KD, table 2, setup (a)
_base_ = [
    '../_base_/pairs/pair_r110_r20_cifar100.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
