from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch


@pytest.fixture(params=[np.asarray, torch.tensor], ids=["numpy", "torch"])
def kind(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes an array of numpy, or a tensor, of an array of numpy."""
    return request.param
