"""Preparing the local model: never half a model, never somebody else's folder."""

import pytest

from seedcorn.engines.prepare_model import REQUIRED, is_complete, main, prepare
from tests.engines.conftest import MODEL


def test_prepare_finished_folder_is_left_alone(tmp_path, capsys):
    for name in REQUIRED:
        (tmp_path / name).write_text(name)
    assert main([str(tmp_path)]) == 0
    assert "already complete" in capsys.readouterr().out
    assert (tmp_path / "config.json").read_text() == "config.json"


def test_prepare_folder_with_other_things_is_refused_and_untouched(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("do not delete")
    assert main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def finished(source, target):
    target.mkdir()
    for name in REQUIRED:
        (target / name).write_text(name)


def test_prepare_interrupted_conversion_leaves_nothing_behind(tmp_path):
    def interrupted(source, target):
        finished(source, target)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "m", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_prepare_with_only_a_stamp_in_the_folder_writes_the_model(tmp_path):
    target = tmp_path / "m"
    target.mkdir()
    (target / ".ok").touch()
    assert prepare(target, finished) is True
    assert sorted(item.name for item in target.iterdir()) == sorted(REQUIRED)
    assert prepare(target, finished) is False


def test_prepare_overtaken_by_another_process_keeps_the_first_result(tmp_path):
    def overtaken(source, target):
        finished(source, tmp_path / "m")
        (tmp_path / "m" / "config.json").write_text("first")
        finished(source, target)

    assert prepare(tmp_path / "m", overtaken) is False
    assert (tmp_path / "m" / "config.json").read_text() == "first"


@pytest.mark.vllm
def test_prepared_model_is_complete_with_template_and_stop_token():
    assert is_complete(MODEL)
    assert "<|im_start|>" in (MODEL / "chat_template.jinja").read_text()
    assert '"eos_token_id": 2' in (MODEL / "generation_config.json").read_text()
