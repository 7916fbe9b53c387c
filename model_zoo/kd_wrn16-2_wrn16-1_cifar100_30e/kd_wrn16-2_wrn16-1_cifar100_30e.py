_base_ = '../../configs/kd/kd_wrn16-2_wrn16-1_cifar100.py'

# The recipe's 200 epochs with all its dates scaled
train_cfg = dict(max_epochs=30)
param_scheduler = dict(milestones=[15, 22])
randomness = dict(seed=0)
model = dict(teacher_ckpt='{{ fileDirname }}/../wrn16-2_cifar100_30e/'
             'wrn16-2_cifar100_30e-fca77db2.pth')
