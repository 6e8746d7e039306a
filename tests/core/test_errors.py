import json

from workbench.core.errors import BadInputError, WorkbenchError, from_dict


def test_halves_of_characters_are_written_out() -> None:
    error = BadInputError(b"layer_\xff must be text.".decode(errors="surrogateescape"))
    assert str(error) == r"layer_\udcff must be text."
    json.dumps(error.to_dict(), ensure_ascii=False).encode()


def test_an_error_comes_back_as_what_it_was() -> None:
    error = BadInputError.of("epochs", rule="must be small", got=10**9, hint="take fewer")
    again = from_dict(error.to_dict())
    assert (type(again), str(again)) == (BadInputError, "epochs must be small, got 1000000000; take fewer.")
    assert type(from_dict({"type": "Unheard", "message": "x"})) is not WorkbenchError
