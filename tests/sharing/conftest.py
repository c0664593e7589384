"""Pytest fixtures of the tests on stores; tests of what the server does not have yet are not collected."""

from tests.sharing.cluster import SHARED, STORES

_NEEDED = {
    "test_faults_redis.py": "redis" in STORES,
    "test_faults_sqlite.py": "sqlite" in STORES,
    "test_kill.py": SHARED != [],
}
collect_ignore = [file for file, is_there in _NEEDED.items() if not is_there]
