# GLD inside the network, which the paper does not do (docs/faithful.md)
_base_ = '../baseline/deeplabv3plus_r18_voc12aug.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, depth=34, init_cfg=None)),
    teacher_ckpt='work_dirs/teachers/deeplabv3plus_r34_voc12aug/epoch_50.pth',
    teacher_config='configs/teachers/deeplabv3plus_r34_voc12aug.py',
    distiller=dict(
        type='mmrazor.DenseGLDDistiller',
        cls_out_channels=21,
        gather=True,
        scores='decode_head.conv_seg',
        labels=  # noqa: E251
        'mmseg.models.decode_heads.decode_head.BaseDecodeHead._stack_batch_gt')
)

# Log the teacher's mIoU before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
