"""Depth Anything 3 by ONNX Runtime, without torch: graphs made from presets, weights read where the checkpoint lies."""

import os

# Builds from 1.29 on keep an id of the machine in the home folder and send Microsoft what runs and where Python lies.
# Only this, before the import, keeps all of it away: disable_telemetry_events comes after the first event.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
