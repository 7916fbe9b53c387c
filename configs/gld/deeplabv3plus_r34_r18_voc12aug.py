# GLD inside the network, which the paper does not do (docs/faithful.md).
# The first base is the student with its data and schedule.
_base_ = [
    '../baseline/deeplabv3plus_r18_voc12aug.py',
    '../_base_/distillers/gld_seg.py',
]

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, depth=34, init_cfg=None)),
    teacher_ckpt='work_dirs/teachers/deeplabv3plus_r34_voc12aug/epoch_50.pth',
    teacher_config='configs/teachers/deeplabv3plus_r34_voc12aug.py',
    distiller=_base_.gld)

# Log the teacher's mIoU before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
