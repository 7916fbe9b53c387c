# Noisy handwritten digits, 10 classes, drawn in memory; nothing to download.
dataset_type = 'NoisyDigits'
data_preprocessor = dict(
    type='ClsDataPreprocessor',
    num_classes=10,
    mean=[60.0, 60.0, 60.0],
    std=[70.0, 70.0, 70.0],
    to_rgb=False)

train_pipeline = [
    dict(type='RandomCrop', crop_size=16, padding=1),
    dict(type='PackInputs')
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(type=dataset_type, split='train', pipeline=train_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'))

val_dataloader = dict(
    batch_size=256,
    num_workers=0,
    dataset=dict(
        type=dataset_type,
        split='test',
        num_samples=2000,
        pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'))
val_evaluator = dict(type='Accuracy', topk=(1, ))

test_dataloader = val_dataloader
test_evaluator = val_evaluator
