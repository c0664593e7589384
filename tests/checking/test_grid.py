"""What the grid consists of."""

from stubserver.checking.grid import cells
from stubserver.checking.shapes import Shapes
from stubserver.contract.contract import Contract


def test_the_grid_has_each_operation_about_courses(contract: Contract, shapes: Shapes) -> None:
    found = [*cells(contract, shapes.id_names)]
    about = {operation.id for operation in contract.operations.values() if "course" in operation.loads.values()}
    assert about <= {cell.operation for cell in found}
    for name in about:
        callers = {cell.who for cell in found if cell.operation == name}
        assert callers >= {"creator", "member", "stranger", "nobody"}, name


def test_every_field_and_parameter_is_varied(contract: Contract, shapes: Shapes) -> None:
    found = [*cells(contract, shapes.id_names)]
    for operation in contract.operations.values():
        own = [cell for cell in found if cell.operation == operation.id]
        for name, schema in operation.fields.items() if own and operation.method != "delete" else ():
            if schema.get("format") != "binary":
                assert len({repr((cell.body or {}).get(name)) for cell in own}) > 3, (operation.id, name)
        for parameter in operation.parameters if own and operation.method != "delete" else ():
            if parameter.place == "query" and operation.id != "leave_course":
                assert sum(parameter.name in cell.query for cell in own) > 1, (operation.id, parameter.name)


def test_deletions_come_last_and_once(contract: Contract, shapes: Shapes) -> None:
    found = [*cells(contract, shapes.id_names)]
    first = next(number for number, cell in enumerate(found) if cell.operation.startswith("delete_"))
    rest = {contract.operations[cell.operation].method for cell in found[first:]}
    assert rest <= {"delete", "post"}
    assert len([cell for cell in found if cell.operation == "delete_course" and cell.who == "creator"]) <= 4
