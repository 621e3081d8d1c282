"""How long jobs take and how much memory: stage by stage, with either backend, beside the released code."""
