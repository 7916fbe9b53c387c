_base_ = '../../configs/baseline/wrn16-2_cifar100.py'

# The recipe's 200 epochs with all its dates scaled
train_cfg = dict(max_epochs=30)
param_scheduler = dict(milestones=[15, 22])
randomness = dict(seed=0)
