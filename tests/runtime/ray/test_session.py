"""The private Ray's token: nobody else may read what lets its reader run code."""

from seedcorn.runtime.ray.session import keep_token_private


def test_token_that_ray_left_readable_is_closed(tmp_path):
    folder = tmp_path / ".ray"
    folder.mkdir(mode=0o755)
    token = folder / "auth_token"
    token.write_text("canary")
    token.chmod(0o644)

    keep_token_private(folder)

    assert (folder.stat().st_mode & 0o777, token.stat().st_mode & 0o777) == (0o700, 0o600)
    assert token.read_text() == "canary"


def test_folder_is_closed_before_ray_writes_its_first_token(tmp_path):
    keep_token_private(tmp_path / ".ray")
    assert (tmp_path / ".ray").stat().st_mode & 0o777 == 0o700
