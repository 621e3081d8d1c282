"""Synthetic rooms, losses and trainers for the networks.

`scenes`, `textures`, `trajectories`, `raycast`, `shading` and `rooms` make photos with exact geometry; `targets`,
`losses` and `matching` say what is to be learnt; `curriculum` and `trainer` teach depth, rays and cameras;
`splat_renderer` and `gaussians` the Gaussian head; `evaluate` and `metrics` measure; `export` writes checkpoints.

How the bundled da3-tiny came about, and what was seen on the way: docs/training.md.
"""
