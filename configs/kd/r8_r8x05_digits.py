_base_ = ['../gld/r8_r8x05_digits.py', '../_base_/distillers/kd.py']

model = dict(
    architecture=dict(head=dict(loss=dict(loss_weight=0.1))),
    distiller=dict(_delete_=True, **_base_.kd))
