"""Films and picture sequences: their frames, which of them are key frames, the camera of every one."""
