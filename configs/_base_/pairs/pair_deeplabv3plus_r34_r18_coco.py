# The student, its data and schedule
_base_ = '../../baseline/deeplabv3plus_r18_coco.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/deeplabv3plus_r34_coco.py').model,
    teacher_ckpt='work_dirs/deeplabv3plus_r34_coco/epoch_40.pth',
    teacher_config='configs/baseline/deeplabv3plus_r34_coco.py')
# teacher_ckpt has every weight, so none is downloaded.
model['teacher'].backbone.init_cfg = None
