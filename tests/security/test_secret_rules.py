"""One table of what is a secret, and everyone who has to know: refused, and never shown."""

import pytest

from seedcorn.commands.export.words import published_recipes
from seedcorn.core.errors import RecipeError, SeedError
from seedcorn.core.ops.submitting import corpus_name, server_address
from seedcorn.core.preflight.validation import validate
from seedcorn.core.recipe import EngineSpec, PromptSpec, Recipe, StoreSpec, VllmSpec, resolved
from seedcorn.core.recipe.secrets import (
    HIDDEN,
    holds_credentials,
    redacted,
    refuse_secrets,
    without_secrets,
)
from seedcorn.storage.seeds.files import Filesystems
from seedcorn.storage.stores.answers import store_error
from seedcorn.storage.stores.opening import open_store

AKIA, SK, HF = "AKIACANARYCANARYCANA", "sk-" + "canary" * 4, "hf_" + "canary" * 4
URLS = {
    "s3://KEY:canary@bucket/x": "s3://…@bucket/x",
    "s3://KEY:can/ary@bucket/x": "s3://…@bucket/x",
    "s3://KEY:1/canary@bucket/x": "s3://…@bucket/x",
    "s3a://KEY:/canary@bucket/x": "s3a://…@bucket/x",
    "s3://KEY:canary": "s3://…",
    "s3://canary@bucket/x": "s3://…@bucket/x",
    "gs://KEY:can/ary@bucket/x": "gs://…@bucket/x",
    "sftp://user:canary@host/x": "sftp://…@host/x",
    "HTTPS://user:can/ary@host/x": "HTTPS://…@host/x",
    "abfs://box:canary@account/x": "abfs://…@account/x",
    "wasbs://KEY:can/ary@account/x": "wasbs://…@account/x",
    "https://host/x?token=canary": "https://host/x?…",
    "https://host/x?a=b&X-Amz-Signature=canary": "https://host/x?…",
    "https://host/x?X-Amz-Credential=canary": "https://host/x?…",
    "https://host/x?api-key=canary": "https://host/x?…",
    "https://host/x?subscription_key=canary": "https://host/x?…",
    "https://a.blob.core.windows.net/c/x?sv=1&sig=canary": "https://a.blob.core.windows.net/c/x?…",
}
"""URLs that hold a credential, and what is shown of them."""
PLAIN_URLS = (
    "s3://bucket/a@b.parquet",
    "s3://arn:aws:s3:eu-west-1:1:accesspoint/x",
    "gs://bucket/x",
    "az://container/x",
    "az://container@account/x",
    "abfs://container@account.dfs.core.windows.net/x",
    "ABFSS://container@account.dfs.core.windows.net/x",
    "wasbs://container@account.blob.core.windows.net/x",
    "hf://datasets/user/name@main/x",
    "file:///folder/a:b@c",
    "http://127.0.0.1:8333",
    "http://[fe80::1]:8000/v1",
    "http://[::1]/v1",
)
"""URLs that hold none, though some look like it."""
TEXTS = {
    "read (https://me:canary@host/x) twice": "read (https://…@host/x) twice",
    '{"a": "https://host/x?b=canary"}': '{"a": "https://host/x?…"}',
    "host/x?api_key=canary failed": "host/x?… failed",
    "see s3://…@bucket/x": "see s3://…@bucket/x",
    "s3://bucket: the bucket does not exist": "s3://bucket: the bucket does not exist",
    "write to me@example.org: http://example.org/me": (
        "write to me@example.org: http://example.org/me"
    ),
    "who?key is who=ever": "who?key is who=ever",
    f"refused {AKIA}.": "refused ….",
    f"with {SK}, or {HF}": "with …, or …",
}
"""Texts, and what is shown of them."""
NAMES = {
    "hf_token": True,
    "auth_token": True,
    "authToken": True,
    "apiKey": True,
    "x-api-key": True,
    "AWS_ACCESS_KEY_ID": True,
    "AZURE_STORAGE_KEY": True,
    "connection_string": True,
    "Authorization": True,
    "passphrase": True,
    "api_key_env": False,
    "max_tokens": False,
    "tokenizer": False,
    "author": False,
    "monkey": False,
}
"""Names of keys, and whether what they hold is a secret."""


def recipe(corpus: str = "", **extra: str) -> Recipe:
    engine = EngineSpec(model="m", vllm=VllmSpec(extra=extra))
    return Recipe("r", corpus=corpus, engine=engine, prompts=[PromptSpec("p", "Write.", parents=0)])


def published(stored: Recipe) -> str:
    return str(published_recipes([(1, resolved(stored))]))


@pytest.mark.parametrize("url", URLS)
def test_url_with_a_credential_is_refused_by_everyone_and_shown_by_nobody(url):
    refusals = (
        lambda: validate(recipe(url)),
        lambda: open_store(url, StoreSpec()),
        lambda: Filesystems(StoreSpec()).resolve(url),
        lambda: refuse_secrets([f"corpus={url}"]),
        lambda: server_address(url, {}),
    )
    for refuse in refusals:
        with pytest.raises((RecipeError, SeedError)) as caught:
            refuse()
        assert "ary" not in str(caught.value)
    written = Recipe("r", prompts=[PromptSpec("p", f"Cite {url} twice.")])
    for told in (redacted(url), corpus_name(url), published(written), without_secrets(url, {})):
        assert URLS[url] in told
        assert "ary" not in told
    assert "ary" not in str(store_error(OSError(f"PUT {url}"), "put"))
    assert not holds_credentials(redacted(url))


@pytest.mark.parametrize("url", PLAIN_URLS)
def test_url_without_a_credential_is_taken_by_everyone_and_shown_whole(url):
    validate(recipe(url))
    refuse_secrets([f"corpus={url}"])
    assert redacted(url) == url
    assert url in published(Recipe("r", prompts=[PromptSpec("p", f"Cite {url} twice.")]))


@pytest.mark.parametrize("scheme", ["abfs", "abfss", "az"])
def test_container_on_azure_is_no_user_name_to_stores_and_seeds(scheme):
    url = f"{scheme}://container@account.dfs.core.windows.net/x"
    assert open_store(url, StoreSpec()).uri == url
    with pytest.raises(SeedError, match="no filesystem for"):
        Filesystems(StoreSpec()).resolve(url)


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_shown_without_its_secrets_and_otherwise_whole(text):
    assert redacted(text) == TEXTS[text]
    assert redacted(TEXTS[text]) == TEXTS[text]


@pytest.mark.parametrize("name", NAMES)
def test_name_of_a_key_says_to_everyone_whether_it_holds_a_secret(name):
    stored = recipe(**{name: "canary"})
    if not NAMES[name]:
        validate(stored)
        refuse_secrets([f"engine.vllm.extra.{name}=canary"])
        assert "canary" in published(stored)
        return
    with pytest.raises(RecipeError, match=f"{name}: looks like a secret"):
        validate(stored)
    with pytest.raises(RecipeError, match="looks like a secret"):
        refuse_secrets([f"engine.vllm.extra.{name}=canary"])
    assert HIDDEN in published(stored)
    assert "canary" not in published(stored)
    assert without_secrets("with canary-0001", {name: "canary-0001"}) == f"with ${name}"
