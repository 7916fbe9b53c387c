# KD at each anchor of the detector
_base_ = [
    '../_base_/pairs/pair_ssd300_r34_r18_voc.py',
    '../_base_/distillers/kd_dense.py',
]

model = _base_.kd
model.distiller.connectors.rows.cls_out_channels = 21
