# kd_dense.py at each position of the class scores of a DeepLabV3+
_base_ = './kd_dense.py'

scores = dict(scores=dict(source='decode_head.conv_seg'))
kd = dict(
    distiller=dict(
        student_recorders=scores,
        teacher_recorders=scores,
        connectors=dict(rows=dict(cls_out_channels=21))))
