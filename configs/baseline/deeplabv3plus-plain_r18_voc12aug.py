# Table 6's head and, as we assume of the paper, evaluation
_base_ = './deeplabv3plus_r18_voc12aug.py'

custom_imports = dict(imports=['gld_mm', 'gld_mm.models.decode_heads'])
model = dict(decode_head=dict(type='DeepLabV3PlusHead'))
val_dataloader = dict(dataset=dict(pipeline=_base_.crop513_pipeline))
test_dataloader = val_dataloader
