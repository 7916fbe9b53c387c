# KD, table 2, setup (b)
_base_ = [
    '../_base_/pairs/pair_wrn16-2_wrn16-1_cifar100.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
