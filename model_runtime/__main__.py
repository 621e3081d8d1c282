"""`python -m model_runtime`: the same as the `da3-runtime` command."""

from model_runtime.commands.command_line import main

main()
