"""A model's weights: all files there, each whole."""

import json

import pytest

from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.recipe import EngineSpec, VllmSpec
from seedcorn.engines.model_files import LONGER, read_config, require_whole, weights
from seedcorn.engines.vllm_setup import known_architectures
from tests.engines.small_model import write_model, write_weights


def test_whole_weights_are_listed(tmp_path):
    assert [path.name for path in weights(write_model(tmp_path))] == ["model.safetensors"]


def sharded(folder, *written):
    """A model of two files, of which `written` are there."""
    write_model(folder)
    (folder / "model.safetensors").unlink()
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    for name in written:
        write_weights(folder / name)
    return folder


def test_files_that_the_index_names_must_be_there(tmp_path):
    both = sharded(tmp_path / "both", "model-1.safetensors", "model-2.safetensors")
    assert [path.name for path in weights(both)] == ["model-1.safetensors", "model-2.safetensors"]
    with pytest.raises(EngineUnavailable, match=r"1 of 2 files .* not there: model-2.safetensors"):
        weights(sharded(tmp_path / "one", "model-1.safetensors"))


@pytest.mark.parametrize("data", [0, 1, 4095])
def test_file_that_is_cut_off_is_named(tmp_path, data):
    write_weights(write_model(tmp_path) / "model.safetensors", data)
    with pytest.raises(EngineUnavailable, match=r"model\.safetensors is cut off"):
        weights(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0", b"version https://git-lfs.github.com/spec/v1\n"])
def test_file_that_is_no_safetensors_is_named(tmp_path, content):
    (write_model(tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(EngineUnavailable, match=r"model\.safetensors is no safetensors file"):
        weights(tmp_path)


def test_pickles_alone_are_no_weights(tmp_path):
    (write_model(tmp_path) / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(EngineUnavailable, match=r"pytorch_model.bin is a pickle"):
        weights(tmp_path)


@pytest.mark.parametrize(("content", "said"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_config_that_is_none_is_named(tmp_path, content, said):
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(EngineUnavailable, match=f"config.json is {said}"):
        read_config(tmp_path)


def test_architectures_are_read_from_the_source_of_vllm(tmp_path):
    registry = tmp_path / "vllm" / "model_executor" / "models" / "registry.py"
    registry.parent.mkdir(parents=True)
    registry.write_text(
        'import nothing\n_A = {"OneForCausalLM": ("one", "OneForCausalLM")}\n'
        '_ALL = {**_A}\n_GONE = {"OldForCausalLM": "0.10"}\n'
    )
    assert known_architectures([str(tmp_path)]) == {"OneForCausalLM"}
    assert known_architectures([str(tmp_path / "none")]) == frozenset()


def of_context(tokens, **extra):
    return EngineSpec(kind="vllm", vllm=VllmSpec(max_model_len=tokens, extra=extra))


def test_context_longer_than_the_models_is_refused_unless_the_operator_lets_it(tmp_path):
    config = write_model(tmp_path) / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": 512}))
    require_whole(tmp_path, of_context(512), {})
    with pytest.raises(EngineUnavailable, match=r"max_model_len: 513 asked for, 512 in .*=512 or"):
        require_whole(tmp_path, of_context(513), {})
    require_whole(tmp_path, of_context(513), {LONGER: "1"})


def test_weights_are_looked_at_where_they_are_needed(tmp_path):
    (write_model(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(EngineUnavailable, match="no weights in safetensors"):
        require_whole(tmp_path, of_context(16), {})
    require_whole(tmp_path, of_context(16, load_format="dummy"), {})
