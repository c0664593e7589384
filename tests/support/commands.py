"""The command `stubserver`, run in a process of its own."""

import os
import sys

COMMAND = [sys.executable, "-m", "stubserver"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("STUBSERVER_")}
"""The environment of somebody who has set no option of the command."""
PATIENCE = 60
"""Seconds that a process may take."""
