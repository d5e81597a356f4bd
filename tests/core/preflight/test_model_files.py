"""What config, index and headers of a model say."""

import pytest

from seedcorn.core.preflight.model_files import (
    architecture,
    bytes_described,
    context,
    indexed_files,
    saved_in_16_bits,
)


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"n_positions": 1024}, 1024),
        ({"text_config": {"max_position_embeddings": 512}}, 512),
        (
            {"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 2.0}},
            8192,
        ),
        ({"max_position_embeddings": 8192, "model_max_length": 131072}, 131072),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "yarn", "factor": 4.0}}, 4096),
        ({"max_position_embeddings": 4096, "rope_parameters": {"rope_type": "default"}}, 4096),
        ({"max_position_embeddings": None}, 0),
        ({}, 0),
    ],
)
def test_context_is_what_the_config_names_stretched_as_it_says(config, tokens):
    assert context(config) == tokens


def test_architecture_and_width_of_numbers_may_be_missing():
    assert architecture({"architectures": ["LlamaForCausalLM"]}) == "LlamaForCausalLM"
    assert [architecture({}), architecture({"architectures": []})] == ["", ""]
    assert saved_in_16_bits({"torch_dtype": "bfloat16"})
    assert not saved_in_16_bits({"dtype": "float32"})


def test_index_names_each_file_once():
    assert indexed_files({"weight_map": {"a": "2", "b": "1", "c": "2"}}) == ["1", "2"]
    assert indexed_files({"weight_map": []}) == []


def test_header_describes_as_many_bytes_as_its_last_tensor_ends_at():
    header = {"__metadata__": {}, "a": {"data_offsets": [8, 20]}, "b": {"data_offsets": [0, 8]}}
    assert bytes_described(header) == 20
    odd = {"a": 1, "b": {}, "c": {"data_offsets": [3]}, "d": {"data_offsets": ["x", "y"]}}
    assert [bytes_described({}), bytes_described(odd)] == [0, 0]
