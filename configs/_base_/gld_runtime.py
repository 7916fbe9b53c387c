# What gld_mm adds to the runtime of its hosts, written here only. The bases of
# a config may not share a key, so the hooks have names that no host uses; the
# runtime of each host puts them in place.
custom_imports = dict(imports=['gld_mm'], allow_failed_imports=False)

# The train.py and test.py of every host use it: missing or broken data and
# checkpoints are one line.
runner_type = 'CheckedRunner'

gld_default_hooks = dict(
    checkpoint=dict(max_keep_ckpts=3),
    # Measures the teacher before training; without a teacher it does nothing.
    teacher_val=dict(type='mmrazor.TeacherValHook'))

gld_custom_hooks = [
    # A resumed run draws the random numbers of an uninterrupted one.
    dict(type='EpochSeedHook'),
    # A loss that is not finite stops the run and is named.
    dict(type='FiniteLossHook'),
    # A checkpoint that is resumed or tested has to fit every weight.
    dict(type='CheckpointCheckHook'),
    # A pretrained checkpoint has to fit most weights.
    dict(type='PretrainedCheckHook'),
    # Classes and files of the datasets are checked before the first step.
    dict(type='DataCheckHook'),
]
