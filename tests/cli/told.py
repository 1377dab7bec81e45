"""What the command line says."""

from tests.refusals import assert_one_line


def assert_only_error(capsys, *named: object) -> None:
    """Check that nothing was printed but an error of one line that names all these."""
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_line(err, *named)
