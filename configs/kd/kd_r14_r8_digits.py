# KD, noisy digits
_base_ = [
    '../_base_/pairs/pair_r14_r8_digits.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
