"""Files that say what wrote them: kept up to date, and removed, until somebody changes them."""

from pathlib import Path

from executor.commands.units.sealed import remove_sealed, write_sealed


def test_a_file_is_kept_up_to_date(tmp_path: Path) -> None:
    """It is written, written again, and removed, without a word."""
    path = tmp_path / "made/file"

    said = [write_sealed(path, "a\n"), write_sealed(path, "b\n")]

    assert said == ["", ""]
    assert path.read_text().endswith("\nb\n")
    assert (remove_sealed(path), remove_sealed(path)) == ("", "")
    assert list(path.parent.iterdir()) == []


def test_a_changed_file_stays(tmp_path: Path) -> None:
    """The new one lies beside it, and goes with a removal."""
    path = tmp_path / "file"
    write_sealed(path, "a\n")
    path.write_text(f"{path.read_text()}mine\n")
    changed = path.read_text()

    assert "has been changed, and stays as it is" in write_sealed(path, "b\n")
    assert (tmp_path / "file.new").exists()
    assert "has been changed, and stays" in remove_sealed(path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", changed)]


def test_a_link_stays(tmp_path: Path) -> None:
    """A masked unit, for example; what it means is not read."""
    path = tmp_path / "file"
    path.symlink_to("/dev/null")

    assert "is a link" in write_sealed(path, "a\n")
    assert "stays" in remove_sealed(path)
    assert path.is_symlink()
