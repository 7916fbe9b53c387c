# COCO train2017, val2017 with masks of VOC's 21 classes
_base_ = './deeplabv3plus_r18_voc12aug.py'

coco_voc21 = dict(type='PascalVOCDataset', data_root='data/coco')
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **coco_voc21,
        data_prefix=dict(img_path='train2017', seg_map_path='voc21/train2017'),
        ann_file='voc21/train2017.txt',
        pipeline=_base_.train513_pipeline))
val_dataloader = dict(
    dataset=dict(
        **coco_voc21,
        data_prefix=dict(img_path='val2017', seg_map_path='voc21/val2017'),
        ann_file='voc21/val2017.txt'))
test_dataloader = val_dataloader

# Supplementary 3.2: 40 epochs, batch 16, .001
optim_wrapper = dict(optimizer=dict(lr=0.001))
train_cfg = dict(max_epochs=40)
param_scheduler = [dict(_base_.param_scheduler[0], end=40)]
