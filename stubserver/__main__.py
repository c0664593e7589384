"""`python -m stubserver` is the `stubserver` command."""

from stubserver.cli import main

main()
