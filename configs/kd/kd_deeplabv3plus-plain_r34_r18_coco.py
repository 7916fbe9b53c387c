# KD at each position of the scores
_base_ = [
    '../_base_/pairs/pair_deeplabv3plus-plain_r34_r18_coco.py',
    '../_base_/distillers/kd_seg.py',
]

model = _base_.kd
