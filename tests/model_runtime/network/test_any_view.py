"""What holds for any input of an any-view network."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.create import create_model
from model_runtime.network.dense import Steps, run_head
from model_runtime.network.output import Output
from model_runtime.network.precision import narrow_backbones
from model_runtime.network.vision_transformer import TABLE

FIELDS = ("depth", "depth_conf", "ray", "ray_conf", "extrinsics", "intrinsics")
SPLATS = ("means", "scales", "rotations", "harmonics", "opacities")


@pytest.fixture(scope="module")
def tiny() -> AnyViewNetwork:
    """Untrained, but with every parameter off the values at which parts of the network would be silent."""
    generator = torch.Generator().manual_seed(3)
    network = create_model("da3-tiny")
    assert isinstance(network, AnyViewNetwork)
    with torch.no_grad():
        for parameter in network.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(0.3 * parameter.std(unbiased=False) * noise)
        network.backbone.pretrained.camera_token.normal_(generator=generator)
        network.backbone.pretrained.cls_token.normal_(generator=generator)
    return network


def pictures(scenes: int, views: int, height: int = 42, width: int = 56, seed: int = 0) -> torch.Tensor:
    return torch.randn((scenes, views, 3, height, width), generator=torch.Generator().manual_seed(seed))


def cameras(scenes: int, views: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Unrotated cameras strewn about the first."""
    extrinsics = torch.eye(4).repeat(scenes, views, 1, 1)
    extrinsics[:, 1:, :3, 3] = torch.randn((scenes, views - 1, 3), generator=torch.Generator().manual_seed(seed))
    intrinsics = torch.tensor([[50.0, 0, 28], [0, 45, 21], [0, 0, 1]]).repeat(scenes, views, 1, 1)
    return extrinsics, intrinsics


def assert_same(a: Output, b: Output, tolerance: float = 2e-5) -> None:
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in FIELDS]
    if a.gaussians is not None:
        pairs += [(name, getattr(a.gaussians, name), getattr(b.gaussians, name)) for name in SPLATS]
    for name, x, y in pairs:
        assert (x - y).abs().max() <= tolerance * x.abs().max(), name


def scene_of(output: Output, index: int) -> Output:
    one = slice(index, index + 1)
    splats = output.gaussians
    if splats is not None:
        parts = {name: getattr(splats, name)[one] for name in (*SPLATS, "world_scale")}
        splats = type(splats)(**parts)
    return Output(**{name: getattr(output, name)[one] for name in FIELDS}, gaussians=splats)


@pytest.mark.parametrize("posed", [False, True])
@torch.no_grad()
def test_batch_equals_scenes_one_by_one(tiny: AnyViewNetwork, posed: bool) -> None:
    images = pictures(4, 5)
    given = cameras(4, 5) if posed else (None, None)
    together = tiny(images, *given, gaussians=True, rays=True)
    if not posed:
        assert len(set(tiny.backbone(images).reference.tolist())) > 1, "scenes should differ in their reference view"
    for scene in range(4):
        one = slice(scene, scene + 1)
        alone = tiny(images[one], *(None if c is None else c[one] for c in given), gaussians=True, rays=True)
        assert_same(scene_of(together, scene), alone)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("posed", [False, True])
@pytest.mark.parametrize("size", [(14, 14), (14, 70), (84, 14)])
@torch.no_grad()
def test_few_and_small_views(tiny: AnyViewNetwork, views: int, posed: bool, size: tuple[int, int]) -> None:
    height, width = size
    given = cameras(2, views) if posed else (None, None)
    output = tiny(pictures(2, views, height, width), *given, gaussians=True, rays=True)
    assert output.depth.shape == output.depth_conf.shape == (2, views, height, width)
    assert output.ray.shape == (2, views, height // 14 * 8, width // 14 * 8, 6)
    assert output.extrinsics.shape == (2, views, 3, 4)
    assert output.intrinsics.shape == (2, views, 3, 3)
    assert output.gaussians.means.shape == (2, views * height * width, 3)
    assert output.gaussians.harmonics.shape == (2, views * height * width, 3, 9)
    tensors = [getattr(output, name) for name in FIELDS] + [getattr(output.gaussians, name) for name in SPLATS]
    assert all(tensor.isfinite().all() for tensor in tensors)


@torch.no_grad()
def test_known_cameras_change_the_answer(tiny: AnyViewNetwork) -> None:
    images, given = pictures(1, 3), cameras(1, 3)
    other = (given[0], 2 * given[1])
    assert (tiny(images, *given).depth - tiny(images).depth).abs().max() > 1e-4
    assert (tiny(images, *given).depth - tiny(images, *other).depth).abs().max() > 1e-5


@torch.no_grad()
def test_order_of_views_does_not_matter(tiny: AnyViewNetwork) -> None:
    images, order = pictures(1, 5, seed=5), [3, 1, 4, 0, 2]
    straight, shuffled = tiny(images, rays=True), tiny(images[:, order], rays=True)
    assert_same(Output(**{name: getattr(straight, name)[:, order] for name in FIELDS}), shuffled)


@torch.no_grad()
def test_reference_view_makes_a_difference(tiny: AnyViewNetwork) -> None:
    images = pictures(1, 5)
    first, middle = (tiny.backbone(images, reference_view=name) for name in ("first", "middle"))
    assert (first.reference.item(), middle.reference.item()) == (0, 2)
    assert (first.layers[-1].patches - middle.layers[-1].patches).abs().max() > 1e-3


@pytest.mark.parametrize("chunk", [1, 2, 5])
@torch.no_grad()
def test_head_chunks_do_not_change_results(tiny: AnyViewNetwork, chunk: int) -> None:
    images = pictures(2, 3)
    assert_same(
        tiny(images, gaussians=True, rays=True), tiny(images, gaussians=True, rays=True, head_chunk=chunk), 1e-6
    )


@torch.no_grad()
def test_same_result_every_time(tiny: AnyViewNetwork) -> None:
    images = pictures(1, 3)
    for pose_from in ("camera_head", "rays"):
        first, second = (tiny(images, gaussians=True, rays=True, pose_from=pose_from) for _ in range(2))
        assert_same(first, second, 0.0)


@torch.no_grad()
def test_rays_give_the_cameras_when_asked(tiny: AnyViewNetwork) -> None:
    images = pictures(2, 2)
    from_head, from_rays = tiny(images, rays=True), tiny(images, pose_from="rays")
    assert torch.equal(from_head.ray, from_rays.ray)
    rotation = from_rays.extrinsics[..., :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(2, 2, 3, 3), atol=1e-4, rtol=0)
    assert (from_head.extrinsics - from_rays.extrinsics).abs().max() > 1e-3


@torch.no_grad()
def test_rays_are_made_only_where_they_are_wanted(tiny: AnyViewNetwork) -> None:
    images = pictures(1, 2)
    with_rays, without = tiny(images, gaussians=True, rays=True), tiny(images, gaussians=True)
    assert without.ray is None and without.ray_conf is None
    assert torch.equal(without.depth, with_rays.depth)
    assert torch.equal(without.gaussians.means, with_rays.gaussians.means)
    called = []
    hook = tiny.head.scratch["refinenet1_aux"].register_forward_hook(lambda *_: called.append(True))
    tiny(images)
    hook.remove()
    assert not called


def test_gradients_go_through_the_same_numbers_as_inference(tiny: AnyViewNetwork) -> None:
    images = pictures(1, 8, 196, 196)  # in inference more than goes through a block, or the end of a head, at once
    trained = tiny(images, gaussians=True, rays=True)
    with torch.inference_mode():
        inferred = tiny(images, gaussians=True, rays=True)
    assert trained.depth.requires_grad
    assert_same(trained, inferred)


@torch.inference_mode()
def test_heads_need_no_more_memory_on_a_cpu_for_more_views(tiny: AnyViewNetwork) -> None:
    largest = []
    for views in (2, 4):
        features = tiny.backbone(pictures(1, views, 252, 504))
        with LargestTensor() as watch:
            run_head(tiny.head, features, pictures(1, views, 252, 504), 8, lambda: None)
        largest.append(watch.numel)
    assert largest[0] == largest[1] == 16 * 252 * 504


@torch.no_grad()
def test_bfloat16_backbone_stays_close_and_heads_stay_float32(tiny: AnyViewNetwork) -> None:
    images, given = pictures(1, 3), cameras(1, 3)
    exact = tiny(images, *given, gaussians=True, rays=True)
    seen: list[torch.dtype] = []
    hooks = [
        module.register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
        for part in (tiny.head, tiny.gs_head, tiny.cam_dec, tiny.cam_enc)
        for module in part.modules()
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)
    ]
    half: list[torch.dtype] = []
    hooks.append(
        tiny.backbone.pretrained.blocks[3].mlp.fc1.register_forward_hook(lambda _, i, output: half.append(output.dtype))
    )
    with torch.autocast("cpu", torch.bfloat16):
        rough = tiny(images, *given, gaussians=True, rays=True)
    for hook in hooks:
        hook.remove()
    assert set(half) == {torch.bfloat16}
    assert set(seen) == {torch.float32}
    assert rough.depth.dtype == rough.extrinsics.dtype == rough.gaussians.means.dtype == torch.float32
    error = (rough.depth - exact.depth).norm() / exact.depth.norm()
    assert 0 < error < 0.02


@torch.no_grad()
def test_backbone_may_be_stored_in_bfloat16(tiny: AnyViewNetwork) -> None:
    images, given = pictures(1, 2), cameras(1, 2)
    rounded = copy.deepcopy(tiny)
    rounded.backbone.bfloat16()
    exact, rough = tiny(images, *given), rounded(images, *given)
    assert rough.depth.dtype == torch.float32
    assert 0 < (rough.depth - exact.depth).norm() / exact.depth.norm() < 0.05


@torch.no_grad()
def test_a_narrowed_backbone_gives_what_autocast_gives(tiny: AnyViewNetwork) -> None:
    images, narrowed = pictures(1, 3), copy.deepcopy(tiny)
    narrow_backbones(narrowed, torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        expected, output = (network(images, gaussians=True, rays=True) for network in (tiny, narrowed))
    assert_same(expected, output, 0.0)
    sizes = [sum(p.nbytes for p in network.backbone.parameters()) for network in (tiny, narrowed)]
    assert sizes[1] < 0.6 * sizes[0]
    assert {p.dtype for p in narrowed.head.parameters()} == {torch.float32}


class Cancelled(Exception):
    pass


@torch.no_grad()
def test_progress_rises_and_can_stop_the_pass_at_every_step(tiny: AnyViewNetwork) -> None:
    images, fractions = pictures(1, 3), []
    tiny(images, gaussians=True, rays=True, head_chunk=2, on_block=fractions.append)
    assert fractions == pytest.approx(np.arange(14) / 14)  # 10 blocks, two heads of two chunks

    for limit in (0.0, 0.4, 0.9):

        def stop(done: float, limit: float = limit) -> None:
            if done >= limit:
                raise Cancelled

        with pytest.raises(Cancelled):
            tiny(images, gaussians=True, rays=True, head_chunk=2, on_block=stop)


def test_a_gpu_is_never_given_more_than_a_few_steps_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[int] = []

    class Event:
        def __init__(self, blocking: bool) -> None:
            assert blocking, "waiting must not take a core"

        def record(self, stream: object) -> None:
            assert stream == "stream of cuda:1"
            self.place = len(told)
            queued.append(self.place)

        def synchronize(self) -> None:
            queued.remove(self.place)

    told: list[float] = []
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", "stream of {}".format)
    steps = Steps(10, told.append, torch.device("cuda:1"))
    for step in range(10):
        steps()
        assert queued == [place for place in (step - 1, step) if place >= 0], "the last two alone are not done for sure"
    assert told == pytest.approx(np.arange(10) / 10)


class LargestTensor(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.numel = 0
        self.attention: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if "attention" in str(func):
            self.attention.add(str(func))
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, torch.Tensor):
                self.numel = max(self.numel, value.numel())
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_attention_is_fused(tiny: AnyViewNetwork, dtype: torch.dtype) -> None:
    images = pictures(1, 8, 196, 196)
    tokens = 8 * (1 + 14 * 14)
    with LargestTensor() as watch, torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        tiny.backbone(images)
    assert watch.numel < tokens**2 / 2
    assert watch.attention == {"aten._scaled_dot_product_flash_attention_for_cpu.default"}


def test_gradients_reach_every_parameter_that_is_read() -> None:
    network = create_model("da3-tiny").train()
    images = pictures(2, 3)
    for given in ((None, None), cameras(2, 3)):
        output = network(images, *given, gaussians=True, rays=True)
        fields = [getattr(output, name) for name in FIELDS] + [getattr(output.gaussians, name) for name in SPLATS]
        weights = torch.Generator().manual_seed(0)
        sum((field * torch.randn(field.shape, generator=weights)).mean() for field in fields).backward()
    silent = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    unread = tuple(f"head.scratch.output_conv{n}_aux.{level}." for n in (1, 2) for level in (0, 1, 2))
    assert {name for name in silent if not name.startswith(unread)} == set()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_position_table_is_used_as_it_is_on_its_own_grid(tiny: AnyViewNetwork) -> None:
    transformer = tiny.backbone.pretrained
    assert transformer.position_table(TABLE, TABLE) is transformer.pos_embed
    resized = transformer.position_table(3, 50)
    assert resized.shape == (1, 151, 192)
    assert torch.equal(resized[:, 0], transformer.pos_embed[:, 0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": torch.zeros(1, 3, 42, 56)}, "scenes, views, 3"),
        ({"images": torch.zeros(1, 2, 3, 40, 56)}, "56 x 40 pixels; resize both sides to multiples of 14"),
        ({"images": torch.zeros(1, 0, 3, 42, 56)}, "none of them 0"),
        ({"extrinsics": torch.eye(4).expand(1, 2, 4, 4)}, "extrinsics and intrinsics together"),
        (
            {"extrinsics": torch.eye(4).expand(1, 3, 4, 4), "intrinsics": torch.eye(3).expand(1, 2, 3, 3)},
            "extrinsics have",
        ),
        ({"reference_view": "last"}, "saddle_balanced, saddle_sim_range, middle, first"),
        ({"pose_from": "magic"}, "camera_head, rays"),
        ({"head_chunk": 0}, "at least one view"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(tiny: AnyViewNetwork, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tiny(**{"images": torch.zeros(1, 2, 3, 42, 56), **change})
