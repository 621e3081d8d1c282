"""Synthetic rooms, losses and trainers for the networks.

`scenes`, `textures`, `trajectories`, `raycast`, `shading` and `rooms` make photos with exact geometry; `targets`,
`losses` and `matching` say what is to be learnt; `curriculum` and `trainer` teach depth, rays and cameras;
`splat_renderer` and `gaussians` the Gaussian head; `evaluate` and `metrics` measure; `export` writes checkpoints.

How the bundled da3-tiny came about: 3300 steps, 120 000 photos, 73 minutes on two busy CPU cores, then 310 steps for
the Gaussian head. What was seen on the way (one run, so causes are not proven apart):

- InfoNCE on the attention alone matched patches within 100 steps, yet the pose stayed trivial for 800.
  Then two things changed at once: a linear readout of every cross-view block had to tell how far each patch had moved,
  and photos were used twice instead of five times, for the network had begun to remember rooms. By step 1300 depth
  and rotation had both left the trivial answers behind.
- A turn moves a quaternion little: without the weights of `losses.LossWeights` rotation was two percent of the loss.
- Position tables start as strong sine-cosine waves, layer scales at 0.5, the reference's token apart from the others'.
- One process per core with one thread each, bf16, plain attention for few tokens, dense heads on half of the views.
"""
