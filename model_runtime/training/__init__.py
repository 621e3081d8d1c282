"""Synthetic rooms, losses and trainers for the networks.

`scenes`, `textures`, `trajectories`, `raycast`, `shading` and `rooms` make photos with exact geometry; `targets`,
`losses` and `matching` say what is to be learnt; `curriculum` and `trainer` teach depth, rays and cameras;
`splat_renderer` and `gaussians` the Gaussian head; `evaluate` and `metrics` measure; `export` writes checkpoints.

What made depth and pose emerge in da3-tiny within an hour on two shared CPU cores, in the order of what it gained:

- A linear readout of every cross-view block that must tell how far each patch has moved. With InfoNCE on the
  attention alone patches found their partners within 100 steps, yet the pose stayed trivial for 800; with the readout
  it broke away within 400 more, and the matching itself became sharper.
- Weights that let rotation be heard (see `losses.LossWeights`).
- A strong sine-cosine position table, layer scales of 0.5, reference and other tokens told apart from the start.
- Fresh rooms: photos used five times over made the network remember rooms instead of looking at them.
- One process per core with one thread each, bf16, plain attention for few tokens, dense heads on half of the views.
"""
