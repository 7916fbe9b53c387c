_base_ = [
    '../gld/deeplabv3plus_r34_r18_coco.py',
    '../_base_/distillers/kd_dense.py',
]

scores = dict(
    scores=dict(type='mmrazor.ScoreMaps', source='decode_head.conv_seg'))
model = dict(
    distiller=dict(
        _base_.kd,
        _delete_=True,
        student_recorders=scores,
        teacher_recorders=scores,
        connectors=dict(
            rows=dict(type='mmrazor.DenseRowConnector', cls_out_channels=21))))
