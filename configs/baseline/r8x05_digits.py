_base_ = '../teachers/r8_digits.py'

# Half as many channels as the teacher
model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32))
