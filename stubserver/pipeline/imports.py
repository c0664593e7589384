"""Imports Connexion without what a server does not use of it.

Connexion imports two HTTP clients, a template engine and test tools, for functions that no request calls. While it is
imported, a stand-in takes the place of each of these modules: what is taken from it imports the real module when it is
called. Only commands do this, in their own process; whoever imports our app gets Connexion as it is.
"""

import importlib
import sys
from functools import partial
from types import ModuleType
from typing import Any

TEMPLATES = "starlette.templating"
LATER = ("httpx", "jinja2", "requests", TEMPLATES, "starlette.testclient", "werkzeug.serving", "werkzeug.test")
"""Modules that are imported when something from them is called."""


def import_connexion() -> None:
    """Import Connexion, if it has not been imported yet, without LATER."""
    stand_ins = {name: _StandIn(name) for name in LATER if name not in sys.modules}
    if TEMPLATES in stand_ins:
        stand_ins[TEMPLATES].__dict__["Jinja2Templates"] = _Templates
    sys.modules.update(stand_ins)
    try:
        importlib.import_module("connexion")
    finally:
        for name in stand_ins:
            del sys.modules[name]


class _StandIn(ModuleType):
    """A module all of whose names stand for functions or classes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return partial(_call, self.__name__, name)


class _Templates:
    """Templates of pages, which are made when the first page is asked for: Connexion wants them at the start."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(_call(TEMPLATES, "Jinja2Templates", **self._options), name)


def _call(module: str, name: str, *arguments: Any, **named: Any) -> Any:
    return getattr(importlib.import_module(module), name)(*arguments, **named)
