# KD, supplementary 3.1, StanfordCars
_base_ = [
    '../_base_/pairs/pair_r34_r18_cars196.py',
    '../_base_/distillers/kd.py',
]

model = _base_.kd
