# KD, table 2, setup (d)
_base_ = [
    '../_base_/pairs/pair_wrn16-4_r32_cifar100.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
