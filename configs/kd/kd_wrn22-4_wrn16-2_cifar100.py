# KD, table 2, setup (c)
_base_ = [
    '../_base_/pairs/pair_wrn22-4_wrn16-2_cifar100.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
