"""Numbers that others published on their own data, for context; nothing here was measured by this project.

Camera accuracy (AUC3 / AUC30 in percent) from the paper of Depth Anything 3 (Lin et al. 2025).
"""

from __future__ import annotations

DATASETS = ("HiRoom", "ETH3D", "DTU", "7Scenes", "ScanNet++")

POSE_AUC = {
    "COLMAP": ((13.0, 19.0), (4.8, 41.3), (87.2, 87.4), (22.3, 62.0), (13.3, 19.9)),
    "DUSt3R": ((17.6, 54.3), (4.3, 27.3), (4.0, 74.3), (6.9, 61.6), (8.1, 33.9)),
    "VGGT": ((49.1, 88.0), (26.3, 80.8), (79.2, 99.8), (23.9, 85.0), (62.6, 95.1)),
    "Pi3": ((67.0, 94.8), (35.2, 87.3), (62.5, 94.9), (25.5, 86.3), (50.7, 92.1)),
    "DA3-Giant": ((80.3, 95.9), (48.4, 91.2), (94.1, 99.4), (28.5, 86.8), (85.0, 98.1)),
    "DA3-Large": ((58.7, 94.2), (32.2, 86.9), (70.2, 96.7), (29.2, 86.6), (60.2, 94.7)),
    "DA3-Base": ((19.0, 83.2), (15.1, 74.6), (60.1, 95.9), (20.1, 82.9), (25.1, 83.4)),
    "DA3-Small": ((9.5, 75.2), (8.6, 62.1), (30.6, 91.2), (14.0, 78.7), (10.9, 71.9)),
}
"""Method to (AUC3, AUC30) on each of DATASETS."""
