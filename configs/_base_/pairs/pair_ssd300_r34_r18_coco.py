# The student, its data and schedule
_base_ = '../../baseline/ssd300_r18_coco.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/ssd300_r34_coco.py').model,
    teacher_ckpt='work_dirs/ssd300_r34_coco/epoch_250.pth',
    teacher_config='configs/baseline/ssd300_r34_coco.py')
# teacher_ckpt has every weight, so none is downloaded.
model['teacher'].backbone.init_cfg = None
