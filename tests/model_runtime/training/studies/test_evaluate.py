"""The answers that look at no photo, as good as they can be: sky is no depth of zero."""

import torch

from model_runtime.training.rendering.views import ViewBatch
from model_runtime.training.studies.evaluate import trivial_answers


def walls(scenes: int) -> ViewBatch:
    """Walls at depth 1, 2, 3 ... before two cameras in one place; sky above the first scene's, and above all on top."""
    depth = torch.arange(1.0, scenes + 1)[:, None, None, None].repeat(1, 2, 14, 14)
    depth[0, :, :7] = 0
    depth[:, :, 0] = 0
    intrinsics = torch.tensor([[1000.0, 0, 7], [0, 1000, 7], [0, 0, 1]]).expand(scenes, 2, 3, 3)
    return ViewBatch(torch.zeros(scenes, 2, 3, 14, 14), depth, torch.eye(4).expand(scenes, 2, 4, 4), intrinsics)


def test_the_mean_map_of_walls_is_a_wall():
    batch = walls(3)
    mean, _ = trivial_answers(batch, batch)["mean map, mean pose"]
    # Through so long a lens the distance of a wall is its depth, which at unit scale is 1 for all of them.
    torch.testing.assert_close(mean, torch.ones_like(mean), atol=1e-3, rtol=0)
