# The student, its data and schedule
_base_ = '../../baseline/deeplabv3plus-plain_r18_voc12aug.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/deeplabv3plus-plain_r34_voc12aug.py'
    ).model,
    teacher_ckpt='work_dirs/deeplabv3plus-plain_r34_voc12aug/epoch_50.pth',
    teacher_config='configs/baseline/deeplabv3plus-plain_r34_voc12aug.py')
# teacher_ckpt has every weight, so none is downloaded.
model['teacher'].backbone.init_cfg = None
