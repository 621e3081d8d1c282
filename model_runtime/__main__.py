"""`python -m model_runtime`: the same as the `da3-runtime` command."""

from model_runtime.cli import main

main()
