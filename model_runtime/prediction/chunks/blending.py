"""Photos that several chunks have get one camera, without a jump where one chunk ends and the next one goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from model_runtime.geometry.pose_graph import scales
from model_runtime.geometry.similarity import nearest_rotation
from model_runtime.prediction.chunks.chunk import ChunkOutput
from model_runtime.prediction.chunks.seams import camera_to_world

Ratios = Mapping[tuple[int, int], Mapping[int, float]]
"""Two chunks to a common photo's place to its depth in the first over its depth in the second."""


def owners(chunks: Sequence[ChunkOutput], count: int) -> np.ndarray:
    """[N] the chunk in which each photo is most central; of two alike the earlier one."""
    owner, most = np.full(count, -1), np.zeros(count)
    for number, chunk in enumerate(chunks):
        for place, central in zip(chunk.places, _centrality(len(chunk.places)), strict=True):
            if central > most[place]:
                owner[place], most[place] = number, central
    return owner


def blend(
    chunks: Sequence[ChunkOutput], worlds: np.ndarray, owner: np.ndarray, ratios: Ratios
) -> tuple[np.ndarray, np.ndarray]:
    """World-to-camera [N,4,4] and depth scale [N] of the owner's depth, blended over all chunks that have a photo.

    worlds: [C,...4,4] from each chunk's world. The weight of a chunk falls evenly to its ends, so that an overlap
    leads from one chunk to the next.
    """
    count = len(owner)
    weights, centres, log_scale = np.zeros(count), np.zeros((count, 3)), np.zeros(count)
    turns = np.zeros((count, 3, 3))
    for number, chunk in enumerate(chunks):
        scale = float(scales(worlds[number]))
        poses = worlds[number] @ camera_to_world(chunk.extrinsics)
        for k, (place, weight) in enumerate(zip(chunk.places, _centrality(len(chunk.places)), strict=True)):
            ratio = _ratio(ratios, number, int(owner[place]), place)
            if ratio is None:
                continue
            weights[place] += weight
            centres[place] += weight * poses[k, :3, 3]
            turns[place] += weight * poses[k, :3, :3] / scale
            log_scale[place] += weight * np.log(scale * ratio)
    extrinsics = np.tile(np.eye(4), (count, 1, 1))
    rotation = nearest_rotation(turns).transpose(0, 2, 1)
    extrinsics[:, :3, :3] = rotation
    extrinsics[:, :3, 3] = -np.einsum("nij,nj->ni", rotation, centres / weights[:, None])
    return extrinsics, np.exp(log_scale / weights)


def bring_to_anchors(extrinsics: np.ndarray, anchors: Mapping[int, np.ndarray]) -> np.ndarray:
    """World-to-camera [N,4,4] in which the anchors are as known, and the photos between two of them, in order, take
    part in the moves of both by how near they are; before the first and after the last they go along."""
    if not anchors:
        return extrinsics
    places = sorted(anchors)
    seen, known = camera_to_world(extrinsics), camera_to_world(np.stack([anchors[place] for place in places]))
    turns = known[:, :3, :3] @ seen[places, :3, :3].transpose(0, 2, 1)
    shifts = known[:, :3, 3] - seen[places, :3, 3]
    at = np.clip(np.arange(len(extrinsics)), places[0], places[-1])
    shift = np.stack([np.interp(at, places, each) for each in shifts.T], axis=1)
    turned = np.repeat(turns, len(at), axis=0)
    if len(places) > 1:
        turned = Slerp(places, Rotation.from_matrix(turns))(at).as_matrix()
    moved = extrinsics.copy()
    moved[:, :3, :3] = extrinsics[:, :3, :3] @ turned.transpose(0, 2, 1)
    moved[:, :3, 3] = -np.einsum("nij,nj->ni", moved[:, :3, :3], seen[:, :3, 3] + shift)
    for place, each in anchors.items():
        moved[place] = each
    return moved


def _centrality(count: int) -> np.ndarray:
    """[n] 1 at a chunk's ends, more towards its middle."""
    return np.minimum(np.arange(count), np.arange(count)[::-1]) + 1.0


def _ratio(ratios: Ratios, number: int, owner: int, place: int) -> float | None:
    """Depth of a photo in a chunk over that in its owner; None where one of them has no depth."""
    if number == owner:
        return 1.0
    if number < owner:
        return ratios.get((number, owner), {}).get(place)
    inverse = ratios.get((owner, number), {}).get(place)
    return None if inverse is None else 1 / inverse
