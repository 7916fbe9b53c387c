_base_ = [
    '../gld/deeplabv3plus-plain_r34_r18_voc12aug.py',
    '../_base_/distillers/kd_seg.py',
]

model = dict(distiller=dict(_base_.kd, _delete_=True))
