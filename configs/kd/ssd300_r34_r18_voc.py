_base_ = [
    '../gld/ssd300_r34_r18_voc.py',
    '../_base_/distillers/kd_dense.py',
]

model = dict(
    distiller=dict(
        _base_.kd,
        _delete_=True,
        connectors=dict(
            rows=dict(type='mmrazor.DenseRowConnector', cls_out_channels=21))))
