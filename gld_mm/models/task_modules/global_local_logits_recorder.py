# Copyright (c) gld_mm authors. All rights reserved.
from typing import Any, Optional, Tuple, Union

from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmrazor.registry import TASK_UTILS
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from gld_mm.errors import UserError
from gld_mm.functional import global_local_logits
from gld_mm.numerics import fits, to_grid

from .cells_in_batch import CellsInBatch, is_close
from .find_module import find_module
from .trace import as_in_testing, describe, misfit, no_map, not_called, tensors
from .trial_recorder import TrialRecorder


@TASK_UTILS.register_module()
class GlobalLocalLogitsRecorder(TrialRecorder):
    """Record the logits of the images and of the cells of their feature maps.

    Without names both the map and what follows it are found
    (:class:`CellsInBatch`). With a classifier the logits are what it makes of
    the averages of the map (:func:`gld_mm.functional.global_local_logits`). At
    the first forward the logits of the images are compared with what the
    network outputs.

    Args:
        grid (int | tuple[int, int], optional): Rows and columns of local
            logits. None records ``(B, K)``, what the network outputs, and
            nothing of a map. Defaults to 2.
        fixed_kernel (bool): Pool as the authors' CIFAR-100 code does, with a
            fixed kernel that drops what does not divide. Defaults to False.
        feature (str, optional): Name of the module that outputs the map.
            Defaults to None: it is found, or with a classifier 'backbone'.
        classifier (str, optional): Name of the module that classifies pooled
            features. Defaults to None, all that follows the map.
        network (str): What errors call the network. Defaults to 'network'.
    """

    def __init__(self,
                 grid: Union[int, Tuple[int, int], None] = 2,
                 fixed_kernel: bool = False,
                 feature: Optional[str] = None,
                 classifier: Optional[str] = None,
                 network: str = 'network') -> None:
        if classifier is not None and feature is None:
            feature = 'backbone'
        super().__init__(feature, network)
        self.grid = None if grid is None else to_grid(grid)
        self.fixed_kernel = fixed_kernel
        self.classifier_name = classifier
        self.cells: Optional[CellsInBatch] = None

    def prepare_from_model(self, model: Optional[BaseModel] = None) -> None:
        """Find the modules that have a name.

        Args:
            model (BaseModel): The network.

        Raises:
            UserError: If the network has no module of that name, or the
                classifier has a batch norm.
        """
        super().prepare_from_model(model)
        if self.source is not None:
            feature = find_module(self.model, self.source)
        if self.classifier_name is None:
            self.cells = CellsInBatch(model, self.grid, self.fixed_kernel,
                                      self.network)
        else:
            self.classifier = find_module(self.model, self.classifier_name)
            if any(
                    isinstance(x, _BatchNorm)
                    for x in self.classifier.modules()):
                raise UserError(
                    f'"{self.classifier_name}" of the {self.network} has a '
                    'batch norm, which would learn from the cells, too: leave '
                    'out the names of the feature and the classifier.')
            feature.register_forward_hook(self.forward_hook)

    def get_record_data(self, *args: Any, **kwargs: Any) -> Tensor:
        """Get the logits of the last forward.

        Returns:
            Tensor: ``(B, 1 + L, K)``, the global logit first, or ``(B, K)``
            if there is no grid.

        Raises:
            UserError: If what was recorded cannot be classified.
        """
        logits = self._recorded()
        return logits[:, 0] if self.grid is None else logits

    def _recorded(self) -> Tensor:
        """The logits of the images first, then of their cells."""
        if self.cells is not None:
            logits = self.cells.logits
            if logits is None:
                raise UserError(
                    f'The {self.network} has not called the module that '
                    'outputs its logits: name the feature and the classifier.')
            return logits
        if not self.data_buffer:
            raise UserError(not_called(self.source, self.network))
        output = self.data_buffer[-1]
        fmap = output[-1] if isinstance(output, (tuple, list)) else output
        if not isinstance(fmap, Tensor) or fmap.ndim != 4:
            raise UserError(no_map(self.source, self.network, output))
        grid = self.grid or (1, 1)
        if not fits(fmap.shape[2:], grid):
            raise UserError(misfit(grid, fmap.shape[2:], self.network))
        return global_local_logits(fmap, self._classify, grid,
                                   self.fixed_kernel)

    def __exit__(self, *args: Any) -> None:
        """Stop to record."""
        super().__exit__(*args)
        if self.cells is not None:
            self.cells.end()

    def begin(self, images: Tensor) -> None:
        """Start a forward.

        Args:
            images (Tensor): ``(B, 3, H, W)``.
        """
        if self.cells is not None:
            self.cells.begin(images)

    def try_out(self, images: Tensor) -> None:
        """Find what has no name, and compare what has with the network.

        Args:
            images (Tensor): ``(2, 3, H, W)``.

        Raises:
            UserError: If there is no map that the grid fits, or the logits
                are not what the network outputs.
        """
        if self.cells is not None:
            self._find(self.cells, images)
            return
        with as_in_testing(self.model):
            expected: Any = sum(tensors(self.model(images, mode='tensor')))
            logits = self._recorded()[:, 0]
        if not is_close(logits, expected):
            raise UserError(
                f'The logits of the {self.network} to compare, '
                f'"{self.classifier_name}" of the averages of '
                f'"{self.source}", are not what the network outputs '
                f'({describe(logits)}, {describe(expected)}): leave out both '
                'names, then they are found, or give others.')

    def _find(self, cells: CellsInBatch, images: Tensor) -> None:
        cells.find(images, self.source)
        if self.grid is None:
            return
        if cells.map_name is None:
            text = (f'GLD finds no local logits of the {self.network}: the '
                    'layers after its feature map cannot classify a part of '
                    'it. The global and the relation term are left.')
        else:
            text = (f'GLD takes the local logits of the {self.network} from '
                    f'the map that "{cells.map_name}" outputs.')
        print_log(text, 'current')

    def _classify(self, pooled: Tensor) -> Tensor:
        name = f'"{self.classifier_name}" of the {self.network}'
        shape = tuple(pooled.shape)
        try:
            logits = self.classifier(pooled)
        except (AttributeError, IndexError, RuntimeError, TypeError,
                ValueError) as error:
            raise UserError(f'{name} does not take pooled features {shape}: '
                            f'{error}') from error
        if not (isinstance(logits, Tensor) and logits.ndim == 2
                and len(logits) == len(pooled)):
            raise UserError(
                f'{name} makes {describe(logits)} of pooled features {shape}; '
                f'it should make logits ({shape[0]}, K), as the linear layer '
                'of a head does.')
        return logits
