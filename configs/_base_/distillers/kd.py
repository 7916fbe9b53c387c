# Hinton et al., Distilling the Knowledge in a Neural Network: 0.9 KL at
# temperature 4, times 4^2, and 0.1 cross-entropy. The distiller and its loss
# are mmrazor's.
kd = dict(
    type='mmrazor.FrozenTeacherDistill',
    task_loss_weight=0.1,
    distiller=dict(
        type='mmrazor.ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='mmrazor.ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(
            logits=dict(type='mmrazor.ModuleOutputs', source='head.fc')),
        distill_losses=dict(
            loss_kl=dict(type='mmrazor.KLDivergence', tau=4, loss_weight=0.9)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(recorder='logits', from_student=True),
                preds_T=dict(recorder='logits', from_student=False)))))
