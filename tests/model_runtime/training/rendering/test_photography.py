"""Development of photos: compression against Pillow's JPEG, and what differs from photo to photo."""

import io

import numpy as np
import torch
from PIL import Image

from model_runtime.training.rendering.photography import BLOCK, compress, cosine_transform, develop, expose, vignette


def test_cosine_transform_is_orthonormal():
    matrix = cosine_transform(torch.device("cpu"))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(BLOCK), atol=1e-5, rtol=0)
    # The slowest wave but one has one sign change.
    assert ((matrix[1, 1:] > 0) != (matrix[1, :-1] > 0)).sum() == 1


def picture(height: int, width: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = torch.stack([0.5 + 0.4 * torch.sin(k * x + (6 - k) * y) for k in (3.0, 5.0, 9.0)])
    return waves + 0.05 * torch.randn(3, height, width, generator=torch.Generator().manual_seed(0))


def test_compression_loses_as_jpeg_does():
    image = picture(48, 64).clamp(0, 1)
    file = io.BytesIO()
    Image.fromarray((image.permute(1, 2, 0) * 255).round().byte().numpy()).save(file, "JPEG", quality=50, subsampling=0)
    jpeg = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) / 255
    ours = compress(image[None], torch.tensor([0.006]))[0]
    loss, reference = (ours - image).square().mean().sqrt(), (jpeg - image).square().mean().sqrt()
    assert 0.4 * reference < loss < 2.5 * reference
    # Both throw away the same: what the noise had added.
    correlation = torch.corrcoef(torch.stack([(ours - image).flatten(), (jpeg - image).flatten()]))[0, 1]
    assert correlation > 0.5


def test_weak_compression_changes_nothing_and_any_size_will_do():
    image = picture(21, 30)
    torch.testing.assert_close(compress(image[None], torch.tensor([1e-6]))[0], image, atol=3e-4, rtol=0)


def test_photos_of_a_scene_differ_in_exposure_and_colour():
    linear = torch.full((2, 8, 3, 28, 28), 0.3)
    photos = develop(linear, torch.Generator().manual_seed(1))
    assert photos.min() >= 0
    assert photos.max() <= 1
    brightness = photos.mean((2, 3, 4))
    assert brightness.std(1).min() > 0.01
    red_to_blue = photos[:, :, 0].mean((2, 3)) / photos[:, :, 2].mean((2, 3))
    assert red_to_blue.std() > 0.01
    again = develop(linear, torch.Generator().manual_seed(1))
    assert torch.equal(photos, again)


def test_vignette_is_one_in_the_corners():
    falloff = vignette(5, 9, torch.device("cpu"))
    assert float(falloff[2, 4]) == 0
    assert abs(float(falloff[0, 0]) - 1) < 1e-6
    assert float(falloff[2, 0]) > float(falloff[0, 4])


def test_a_camera_that_stays_as_it_is_shows_a_surface_alike_in_all_photos():
    linear = torch.rand(2, 3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.5
    linear[:, 1] = linear[:, 0]
    photos = expose(linear, 0.2)
    assert torch.equal(photos[:, 0], photos[:, 1])
    torch.testing.assert_close(photos.pow(2.2).mean((1, 2, 3, 4)), torch.full((2,), 0.2), atol=1e-4, rtol=0)
