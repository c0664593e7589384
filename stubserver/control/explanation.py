"""Why a request was answered as it was, and what it changed: in one line, or in full."""

from collections.abc import Iterator, Mapping
from typing import Any

from stubserver.api.guards import GUARDS
from stubserver.contract.contract import Contract
from stubserver.control.request_view import RequestView
from stubserver.control.row_view import changed_rows, key_text, shown_row
from stubserver.records.journal import Entry


def line(entry: Entry) -> Mapping[str, Any]:
    """All documented fields of a Line."""
    return {
        "id": entry.id,
        "time": entry.at,
        "operation": entry.operation.id if entry.operation else None,
        "persona": entry.persona,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status or None,
        "milliseconds": round(entry.seconds * 1000, 3),
        "problem": entry.refusal.reason if entry.refusal else None,
        "changes": len(entry.changes),
        "faults": len(entry.faults),
        "variants": len(entry.variants),
        "violations": len(entry.violations),
    }


def explained(entry: Entry, contract: Contract) -> Mapping[str, Any]:
    """All documented fields of an Explanation."""
    operation = entry.operation
    known = operation and {
        "id": operation.id,
        "summary": operation.summary,
        "access": " ".join((GUARDS[operation.access].__doc__ or "").split()),
    }
    rules = sorted(_rules(entry, contract), key=lambda rule: not rule["calls"])
    return {"id": entry.id, "operation": known, "rules": rules, "rows": list(_rows(entry, contract))}


def _rules(entry: Entry, contract: Contract) -> Iterator[Mapping[str, Any]]:
    """The rules of its operation, in the order of the contract."""
    if entry.operation is None:
        return
    calling = RequestView(contract, entry).rules
    for code in contract.document["paths"][entry.operation.path][entry.operation.method]["x-rules"]:
        rule = contract.document["x-rules"][code]
        yield {
            "code": code,
            "rule": " ".join(rule["rule"].split()),
            "sure": rule["sure"],
            "source": rule["source"],
            "note": " ".join(rule["note"].split()) if "note" in rule else None,
            "status": rule.get("status"),
            "calls": code in calling,
        }


def _rows(entry: Entry, contract: Contract) -> Iterator[Mapping[str, Any]]:
    for (table, key), (before, after) in changed_rows(entry.changes).items():
        yield {
            "table": table,
            "key": key_text(key),
            "before": shown_row(table, before, contract.secrets),
            "after": shown_row(table, after, contract.secrets),
        }
