"""The source tree runs no code that came as data: no pickles, no eval, no shell, no remote code."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "seedcorn"
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load"),
    *("pickle.loads", "pickle.Unpickler", "cloudpickle.loads", "cloudpickle.load", "marshal.loads"),
    *(
        "shelve.open",
        "torch.load",
        "joblib.load",
        "yaml.load",
        "yaml.unsafe_load",
        "yaml.full_load",
    ),
    *("OmegaConf.register_new_resolver", "OmegaConf.register_resolver", "hydra.utils.instantiate"),
    *("np.memmap", "pandas.read_pickle", "tempfile.mktemp"),
}
FORBIDDEN_IMPORTS = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "hydra", "ray.data"}
MUST_BE_FALSE = {"allow_pickle", "shell", "trust_remote_code"}
MAY_PASS = {("vllm_setup.py", "trust_remote_code"), ("prepare_model.py", "trust_remote_code")}


def problems(source: str, name: str = "module.py") -> list[str]:
    """What a module does that it must not, with the line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in FORBIDDEN_CALLS:
                found.append(f"{node.lineno}: {called}")
            if called in ("np.load", "numpy.load") and not any(
                word.arg == "allow_pickle" for word in node.keywords
            ):
                found.append(f"{node.lineno}: {called} without allow_pickle=False")
            found += [
                f"{node.lineno}: {word.arg}"
                for word in node.keywords
                if word.arg in MUST_BE_FALSE
                and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                and (name, word.arg) not in MAY_PASS
            ]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                modules += [node.module or "", *(f"{node.module}.{name}" for name in modules)]
            found += [f"{node.lineno}: import {m}" for m in modules if m in FORBIDDEN_IMPORTS]
    return found


def test_no_module_runs_what_came_as_data():
    found = {
        str(path.relative_to(SOURCE)): told
        for path in sorted(SOURCE.rglob("*.py"))
        if (told := problems(path.read_text(encoding="utf-8"), path.name))
    }
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "from cloudpickle import loads",
        "from ray import data",
        "eval(x)",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "AutoModel.from_pretrained(x, trust_remote_code=flag)",
        "yaml.load(x)",
        "OmegaConf.register_new_resolver('x', f)",
    ],
)
def test_search_finds_what_is_planted(planted):
    assert problems(planted)
