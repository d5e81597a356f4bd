"""Canaries: secrets with unique values go through a whole corpus on S3, and come out nowhere."""

import io
import logging

import pyarrow.parquet as pq
import pytest
import yaml
from aiohttp import web

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.log_setup import line_handler
from seedcorn.storage.stores.opening import open_store
from tests.corpora.growing import grow_in_process
from tests.engines.rude_server import answer
from tests.security.garbage import GarbageServer, serving, words

CANARIES = {
    "OPENAI_API_KEY": "canary-endpoint-5f1e",
    "SEEDCORN_NIGHT_WEBHOOK": "https://hooks.example.org/canary-webhook-77aa",
    "RAY_AUTH_TOKEN": "canary-ray-0b3c",
    "HF_TOKEN": "canary-hub-91d2",
}


class EchoingServer(GarbageServer):
    """Tells callers their own key, as careless proxies do."""

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        index = int(body["messages"][-1]["content"].split()[1])
        if index % 3 == 0:
            given = request.headers["Authorization"]
            return web.Response(status=400, text=f"who is {given}? {dict(request.headers)}")
        return web.json_response(answer(words(f"w{index}x")))


def texts_of(store):
    """(key, everything readable in it) of every object."""
    for info in store.list(""):
        data = store.get(info.key)
        yield info.key, data.decode("utf-8", "replace")
        if info.key.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(data))
            yield info.key, f"{table.schema.metadata} {table.to_pylist()}"


@pytest.mark.s3
def test_no_canary_is_in_any_object_log_line_or_report(
    s3_uri, seaweedfs_server, tmp_path, monkeypatch, capsys
):
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    secrets = [*CANARIES.values(), seaweedfs_server.secret_key, seaweedfs_server.access_key]
    uri, endpoint = s3_uri(), seaweedfs_server.endpoint
    handler = line_handler()
    handler.setStream(stream := io.StringIO())
    logging.getLogger("seedcorn").addHandler(handler)
    with serving(EchoingServer({})) as url:
        recipe = {
            "name": "canaries",
            "corpus": uri,
            "samples": 24,
            "prompts": [{"name": "ask", "parents": 0, "template": "say {{ index }} of it"}],
            "engine": {"kind": "openai", "model": "m", "openai": {"base_url": url}},
            "store": {"endpoint": endpoint},
            "nightly": {"webhook_env": "SEEDCORN_NIGHT_WEBHOOK"},
            "units": {"unit": 8, "batch": 3},
        }
        path = tmp_path / "canaries.yaml"
        path.write_text(yaml.safe_dump(recipe))
        loaded = load_recipe(str(path))
        grow_in_process(loaded.recipe, uri, loaded.base)
    logging.getLogger("seedcorn").error("gave up with %s", " ".join(secrets))
    logging.getLogger("seedcorn").removeHandler(handler)
    page = tmp_path / "report.html"
    for command in ("ledger", "verify", "show", "files", "forecast"):
        assert main([command, uri, f"store.endpoint={endpoint}"]) == 0
    assert main(["report", uri, "-o", str(page), f"store.endpoint={endpoint}"]) == 0
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", wrong := "canary-wrong-secret-33e1")
    assert main(["ledger", uri, f"store.endpoint={endpoint}"]) == 1
    told = capsys.readouterr()
    shown = {"stdout": told.out, "stderr": told.err, "log": stream.getvalue()}
    shown["report"] = page.read_text()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweedfs_server.secret_key)
    store = open_store(uri, StoreSpec(endpoint=endpoint))
    found = list(texts_of(store))
    assert any("failed" in text and "who is Bearer ***" in text for _, text in found)
    hits = [
        (where, secret[:12])
        for where, text in [*shown.items(), *found]
        for secret in (*secrets, wrong)
        if secret in text
    ]
    assert hits == []
