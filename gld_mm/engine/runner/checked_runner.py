# Copyright (c) gld_mm authors. All rights reserved.
import copy
import os
from pathlib import Path
from typing import Dict, List, Optional, Union
from urllib.error import URLError

import torch
from mmengine.device import get_device
from mmengine.dist import master_only
from mmengine.evaluator import Evaluator
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIMIZERS, RUNNERS, DefaultScope
from mmengine.runner import Runner
from torch import hub, nn
from torch.utils.data import DataLoader

from gld_mm.config.read import is_distilled, student_of
from gld_mm.datasets.checks.build import build_dataset, check_layout
from gld_mm.engine.checkpoint import newest_checkpoint, read_checkpoint
from gld_mm.engine.compile import compile_parts
from gld_mm.engine.processes import end_together_at_exit, teacher_of, unwrapped
from gld_mm.errors import UserError


@RUNNERS.register_module()
class CheckedRunner(Runner):
    """mmengine's runner with one-line errors for wrong paths and names.

    Any host's train.py uses it if the config has
    ``runner_type='CheckedRunner'``. Without a GPU, distributed processes
    communicate with gloo. Dataloader workers persist between epochs unless the
    config says otherwise: mmengine seeds workers when they start, so restarted
    workers would repeat the same crops and flips in every epoch.
    """

    _resume: bool
    _load_from: Optional[str]

    def setup_env(self, env_cfg: Dict) -> None:
        """Start the processes, by gloo where there is no GPU."""
        if not (self.distributed and get_device() == 'cpu'):
            super().setup_env(env_cfg)
            return
        backend = {**env_cfg.get('dist_cfg', {}), 'backend': 'gloo'}
        # mmengine's launchers select a GPU for each process all the same.
        select = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None
        try:
            super().setup_env({**env_cfg, 'dist_cfg': backend})
        finally:
            torch.cuda.set_device = select

    def wrap_model(self, model_wrapper_cfg: Optional[Dict],
                   model: nn.Module) -> nn.Module:
        """Wrap the model for its processes, without naming a missing GPU."""
        if self.distributed and get_device() == 'cpu':
            self.cfg.pop('sync_bn', None)  # which is for GPUs
            defaults = dict(
                type='MMDistributedDataParallel',
                broadcast_buffers=False,
                find_unused_parameters=self.cfg.get('find_unused_parameters',
                                                    False))
            model_wrapper_cfg = {
                **defaults,
                **(model_wrapper_cfg or {}), 'device_ids': None
            }
        return super().wrap_model(model_wrapper_cfg, model)

    @staticmethod
    def build_dataloader(dataloader: Union[DataLoader, Dict],
                         seed: Optional[int] = None,
                         diff_rank_seed: bool = False) -> DataLoader:
        """Build a dataloader, or say why its dataset cannot be read."""
        if not isinstance(dataloader, dict):
            return Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        dataset = dataloader['dataset']
        is_built = not isinstance(dataset, dict)
        if not is_built:
            check_layout(dataset)
        if dataloader.get('num_workers'):
            dataloader.setdefault('persistent_workers', True)
        else:  # mmpretrain's train.py asks for them where there are none
            dataloader['persistent_workers'] = False
        scope = DefaultScope.get_current_instance()
        if scope is not None and scope.scope_name == 'mmpretrain':
            # As its train.py and test.py do
            dataloader.setdefault('pin_memory', True)
            dataloader.setdefault('collate_fn', dict(type='default_collate'))
        try:
            return Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        except Exception:
            if not is_built:
                build_dataset(dataset)  # This says if it is that.
            raise

    def build_evaluator(self, evaluator: Union[Dict, List,
                                               Evaluator]) -> Evaluator:
        """Build an evaluator, or say which annotations it lacks."""
        try:
            return super().build_evaluator(evaluator)
        except FileNotFoundError as error:
            raise UserError(
                f'{error.filename} is missing: set ann_file of val_evaluator '
                'and test_evaluator to that of the dataset.') from error

    def build_optim_wrapper(
            self, optim_wrapper: Union[OptimWrapper, Dict]) -> OptimWrapper:
        """Build the optimizer, which mmengine calls None if it is unknown."""
        optimizer = optim_wrapper.get('optimizer') if isinstance(
            optim_wrapper, dict) else None
        name = optimizer.get('type') if isinstance(optimizer, dict) else None
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:  # host's
            if isinstance(name, str) and registry.get(name) is None:
                raise UserError(
                    f'optim_wrapper.optimizer.type "{name}" is not the name '
                    'of an optimizer of torch or of the registry, such as SGD '
                    'or AdamW.')
        return super().build_optim_wrapper(optim_wrapper)

    def scale_lr(self,
                 optim_wrapper: OptimWrapper,
                 auto_scale_lr: Optional[Dict] = None) -> None:
        """Scale the learning rate, or warn if it is of another batch size."""
        super().scale_lr(optim_wrapper, auto_scale_lr)
        scale, loader = auto_scale_lr or {}, self._train_dataloader
        base = scale.get('base_batch_size')
        size = self.world_size * (
            loader['batch_size']
            if isinstance(loader, dict) else loader.batch_size)
        size *= getattr(optim_wrapper, '_accumulative_counts', 1)
        if base and size != base and not scale.get('enable'):
            self.logger.warning(
                f'A step has {size} images on all GPUs, the learning rate is '
                f'for {base}: scale it by --auto-scale-lr.')

    def _maybe_compile(self, target: str) -> None:
        """Compile what ``compile`` of the config asks for."""
        options = self.cfg.get('compile')
        if not options:
            return
        for network in (unwrapped(self.model), teacher_of(self.model)):
            if network is not None:
                compile_parts(network,
                              **(options if isinstance(options, dict) else {}))

    @master_only
    def dump_config(self) -> None:
        """Write the config to the work dir, and that of a distilled student.

        ``NAME_student.py``, beside the run's own ``NAME.py``, needs no
        teacher: the hosts' functions for inference and their tools take it
        with any checkpoint of the run.
        """
        super().dump_config()
        if is_distilled(self.cfg):
            student = student_of(copy.deepcopy(self.cfg))
            name = Path(self.cfg.filename or self.timestamp).stem
            student.dump(Path(self.work_dir, f'{name}_student.py'))

    def load_or_resume(self) -> None:
        """Resume from the newest checkpoint that is not cut off."""
        if self._resume and self._load_from is None:
            self._load_from = newest_checkpoint(self.work_dir)
            self._resume = self._load_from is not None
        super().load_or_resume()

    def resume(self, filename: str, *args, **kwargs) -> None:
        """Resume, or say that a checkpoint holds no state of a training."""
        try:
            super().resume(filename, *args, **kwargs)
        except KeyError as error:
            if error.args[0] not in ('meta', 'epoch', 'iter', 'message_hub',
                                     'optimizer', 'param_schedulers'):
                raise
            raise UserError(
                f'"{filename}" cannot be resumed, it has no {error}: start '
                'from its weights by load_from, without --resume.') from error

    def load_checkpoint(self, filename: str, *args, **kwargs) -> dict:
        """Load a checkpoint, or say why its file cannot be read."""
        try:
            return super().load_checkpoint(filename, *args, **kwargs)
        except Exception:
            read_checkpoint(filename)  # This says if it is the file.
            raise

    def train(self) -> nn.Module:
        """Train; processes end together."""
        try:
            model = super().train()
        except URLError as error:
            folder = os.path.join(hub.get_dir(), 'checkpoints')
            raise UserError(f'A download failed ({error.reason}). Put '
                            f'pretrained weights into {folder}') from error
        end_together_at_exit()
        return model

    def test(self) -> dict:
        """Test; processes end together."""
        metrics = super().test()
        end_together_at_exit()
        return metrics
