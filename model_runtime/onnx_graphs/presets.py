"""All graphs of a preset, and the weights that a checkpoint of it has."""

from __future__ import annotations

from model_runtime.network.config import PRESETS, AnyViewConfig, MonocularConfig
from model_runtime.onnx_graphs import backbone, camera, heads
from model_runtime.onnx_graphs.graph import Graph

Part = AnyViewConfig | MonocularConfig
"""A network that runs by itself; nested presets have two."""


def parts(preset: str) -> dict[str, Part]:
    """The networks of a preset by what their weights' keys begin with."""
    config = PRESETS[preset]
    if isinstance(config, AnyViewConfig | MonocularConfig):
        return {"": config}
    return {"da3.": config.any_view, "da3_metric.": config.metric}


def graph_names(config: Part) -> tuple[str, ...]:
    """Those of the backbone first, in the order in which they run."""
    names = [f"backbone_{index}" for index in range(len(backbone.pieces(config.backbone)))]
    if isinstance(config, MonocularConfig):
        return (*names, "depth")
    names += ["learned_cameras", "camera_encoder", "depth", "depth_and_rays"]
    return (*names, *(["gaussians"] if config.gaussian_head else []))


def make_graph(config: Part, name: str, prefix: str = "") -> Graph:
    """The graph of that name of `graph_names`."""
    g = Graph(name, prefix)
    width = config.backbone.feature_dim
    match name:
        case "depth" if isinstance(config, MonocularConfig):
            heads.monocular_head(g, width, config.head)
        case "depth" | "depth_and_rays":
            heads.depth_head(g, width, config.head, rays=name == "depth_and_rays")
        case "gaussians":
            heads.gaussian_head(g, width, config.head)
        case "camera_encoder":
            camera.encode(g, config.backbone.dim)
        case "learned_cameras":
            camera.learned(g, config.backbone.dim)
        case _:
            _make_piece(g, config, int(name.removeprefix("backbone_")))
    return g


def _make_piece(g: Graph, config: Part, index: int) -> None:
    piece = backbone.pieces(config.backbone)[index]
    if index == 0:
        backbone.embedding_piece(g, config.backbone, piece)
        return
    token = backbone.later_piece(g, config.backbone, piece)
    if token is not None:
        camera.decode(g, token, config.backbone.feature_dim)


def weight_shapes(preset: str) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor that a checkpoint of the preset has, by state-dict key."""
    shapes: dict[str, tuple[int, ...]] = {}
    for prefix, config in parts(preset).items():
        for name in graph_names(config):
            shapes |= make_graph(config, name, prefix).weights
        if isinstance(config, AnyViewConfig):
            unread = heads.unread_weights(config.backbone.feature_dim, config.head)
            shapes |= {prefix + key: shape for key, shape in unread.items()}
    return shapes
