# CINIC-10 is 32x32 already: training split for training, test split for
# testing; loaders and normalisation are those of STL-10.
_base_ = './stl10_bs64.py'

dataset_type = 'CINIC10'
data_root = 'data/cinic10'
data_preprocessor = dict(to_rgb=True)

# Files to load instead of images to scale
train_pipeline = [dict(type='LoadImageFromFile'), *_base_.train_pipeline[1:]]
test_pipeline = [dict(type='LoadImageFromFile'), *_base_.test_pipeline[1:]]

train_dataloader = dict(
    dataset=dict(
        type=dataset_type, data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type, data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
