# The images and the augmentation of cifar100_bs64.py, a batch at a time:
# images stay in memory, the preprocessor crops and flips on the device.
_base_ = './cifar100_bs64.py'

data_preprocessor = dict(
    type='BatchedClsDataPreprocessor', padding=4, flip_prob=0.5)

train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='torch.utils.data.default_convert'),
    dataset=dict(
        _delete_=True,
        type='InMemoryDataset',
        dataset=dict(
            type='CIFAR100',
            data_root='data/cifar100',
            split='train',
            pipeline=[])))

val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='torch.utils.data.default_convert'),
    dataset=dict(
        _delete_=True,
        type='InMemoryDataset',
        dataset=dict(
            type='CIFAR100',
            data_root='data/cifar100',
            split='test',
            pipeline=[])))

test_dataloader = val_dataloader
