"""Submissions as values: ids, what a second one means, exit codes, commands, addresses."""

import shlex
from dataclasses import replace

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.ops.submitting import (
    AlreadySubmitted,
    Job,
    JobUnknown,
    chosen,
    corpus_name,
    entrypoint,
    hurry_command,
    job_of,
    metadata,
    next_attempt,
    package_layout,
    require_reachable,
    server_address,
    submission_id,
)
from seedcorn.core.recipe import Recipe

CORPUS = "s3://bucket/night"
RECIPE = Recipe("night", corpus=CORPUS, generations=3)
HEAD = "http://head:8265"


def job(status="RUNNING", attempt=1, generation=3, **rest):
    return Job(f"j{attempt}", CORPUS, generation, attempt, "night", status, **rest)


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("s3://bucket/night/", CORPUS),
        (" s3://bucket/night", CORPUS),
        ("/data/night/", "file:///data/night"),
        ("file:///data/./night", "file:///data/night"),
        ("file://localhost/data/night", "file:///data/night"),
        ("s3://key:pass@bucket/night", "s3://…@bucket/night"),
        ("abfs://box@account/night", "abfs://box@account/night"),
    ],
)
def test_corpus_has_one_name_however_it_is_spelled(spelled, name):
    assert corpus_name(spelled) == name


def test_submission_id_is_a_function_of_corpus_store_generation_and_attempt():
    first = submission_id(CORPUS, "", 3, 1)
    assert first == submission_id(CORPUS + "/", "", 3, 1)
    assert first.startswith("seedcorn-night-")
    assert first.endswith("-g0003")
    assert submission_id(CORPUS, "", 3, 2) == f"{first}-2"
    others = {
        submission_id("s3://other/night", "", 3, 1),
        submission_id(CORPUS, "http://other:8333", 3, 1),
        submission_id(CORPUS, "", 4, 1),
    }
    assert len(others | {first}) == 4


def test_submission_id_is_fit_for_urls_and_file_names():
    strange = submission_id("s3://bucket/Ünïcode & Leerzeichen (2)" + "x" * 300, "", 12345, 7)
    assert strange.isascii()
    assert len(strange) < 70
    assert all(character.isalnum() or character == "-" for character in strange)
    assert strange == strange.lower()


@pytest.mark.parametrize("status", ["PENDING", "RUNNING"])
@pytest.mark.parametrize("generation", [2, 3, 9])
def test_second_submission_finds_the_active_job_whatever_generation_it_grows_to(status, generation):
    active = job(status, generation=generation)
    assert next_attempt([job("FAILED"), active], RECIPE.corpus, RECIPE.generations) is active


def test_ended_jobs_of_the_same_corpus_and_generation_count_as_attempts():
    ended = [job("FAILED", 1), job("STOPPED", 4), job("SUCCEEDED", 2), job("FAILED", 9, 2)]
    other = replace(job("RUNNING", 7), corpus="s3://bucket/day")
    assert next_attempt([], RECIPE.corpus, RECIPE.generations) == 1
    assert next_attempt([*ended, other], RECIPE.corpus, RECIPE.generations) == 5


def test_refused_submission_names_the_job_and_how_to_follow_it():
    error = AlreadySubmitted(job(), HEAD)
    assert error.exit_code == 75
    assert f"seedcorn jobs j1 --follow --address {HEAD}" in str(error)


def test_chosen_takes_an_id_or_the_active_or_newest_job_of_a_corpus():
    old, new = job("FAILED", 1, started=10), job("STOPPED", 2, started=20)
    assert chosen([old, new], "j1", HEAD) is old
    assert chosen([old, new], CORPUS + "/", HEAD) is new
    active = job("RUNNING", 3, started=5)
    assert chosen([old, new, active], CORPUS, HEAD) is active
    with pytest.raises(JobUnknown, match=f"{HEAD} knows no seedcorn job 'j9'"):
        chosen([old, new], "j9", HEAD)


@pytest.mark.parametrize(
    ("status", "driver", "code"),
    [
        ("SUCCEEDED", 0, 0),
        ("STOPPED", None, 130),
        ("FAILED", 75, 75),
        ("FAILED", None, 1),
        ("FAILED", 0, 1),
        ("FAILED", -9, 137),
    ],
)
def test_exit_code_is_the_drivers_as_a_shell_would_give_it(status, driver, code):
    assert job(status, driver_exit=driver).exit_code == code


def test_metadata_tells_the_job_again_and_strangers_are_left_out():
    stored = metadata(RECIPE, "recipes/night.yaml", 2, "0.1.0")
    assert all(isinstance(value, str) for value in stored.values())
    again = job_of("j2", "PENDING", stored)
    assert again == Job("j2", CORPUS, 3, 2, "night (recipes/night.yaml)", "PENDING")
    assert again.active
    assert job_of("raysubmit_x", "RUNNING", {"corpus": CORPUS}) is None


def test_metadata_never_holds_credentials_of_the_corpus():
    stored = metadata(replace(RECIPE, corpus="s3://KEY:PASS@bucket/x"), "r.yaml", 1, "0.1.0")
    assert "PASS" not in str(stored)


def test_entrypoint_gives_rays_signals_to_the_driver_and_survives_the_shell():
    command = entrypoint("python3", "a b.yaml", ["prompts.0.template=it's", "x=$HOME"], True)
    words = shlex.split(command)
    assert words[:5] == ["exec", "python3", "-m", "seedcorn.cli", "grow"]
    assert words[5:] == ["a b.yaml", "prompts.0.template=it's", "x=$HOME", 'run.ray_address=""']
    assert entrypoint("python", "r.yaml", [], False).endswith(" grow r.yaml")


def test_second_signal_goes_only_to_a_process_of_the_same_job():
    command = hurry_command(replace(job(), pid="4711"))
    assert command == "grep -qaF j1 /proc/4711/environ && kill -TERM 4711"
    with pytest.raises(ValueError, match="invalid literal"):
        hurry_command(replace(job(), pid="1; rm -r /"))


def test_reason_is_the_last_line_of_the_drivers_log_without_credentials():
    log = "failed with exit code 1, last logs:\n10:00 x\nseedcorn: s3://a:b@c is gone\n\n"
    assert job("FAILED", message=log).reason == "seedcorn: s3://…@c is gone"
    assert job().reason == ""


@pytest.mark.parametrize("corpus", ["corpora/x", "./x", "memory:x", ""])
def test_corpus_that_only_the_submitter_could_find_is_refused(corpus):
    with pytest.raises(RecipeError, match="corpus"):
        require_reachable(corpus)


@pytest.mark.parametrize("corpus", [CORPUS, "/shared/x", "file:///shared/x"])
def test_corpus_on_a_store_or_an_absolute_path_is_accepted(corpus):
    require_reachable(corpus)


@pytest.mark.parametrize(
    ("option", "environment", "address"),
    [
        ("http://head:8265/", {"RAY_API_SERVER_ADDRESS": "http://other:1"}, HEAD),
        ("head:8265", {}, HEAD),
        (None, {"RAY_API_SERVER_ADDRESS": "head:8265", "RAY_ADDRESS": "http://b:1"}, HEAD),
        (None, {"RAY_ADDRESS": HEAD}, HEAD),
        ("https://ray.example.org/cluster", {}, "https://ray.example.org/cluster"),
    ],
)
def test_address_is_the_option_then_rays_own_variables(option, environment, address):
    assert server_address(option, environment) == address


@pytest.mark.parametrize(
    ("option", "environment", "said"),
    [
        (None, {}, "which cluster"),
        (None, {"RAY_ADDRESS": "10.0.0.1:6379"}, "which cluster"),
        ("auto", {}, "dashboard"),
        ("ray://head:10001", {}, "dashboard"),
        ("http://me:secret@head:8265", {}, "RAY_AUTH_TOKEN"),
    ],
)
def test_address_that_cannot_serve_jobs_is_refused(option, environment, said):
    with pytest.raises(RecipeError, match=said) as caught:
        server_address(option, environment)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "recipe", "places"),
    [
        ([], "r.yaml", []),
        (["a.txt", "sub/b.txt"], "r.yaml", ["a.txt", "sub/b.txt"]),
        (["../a.txt", "b.txt"], "recipe/r.yaml", ["a.txt", "recipe/b.txt"]),
        (["x/../../../a", "../b"], "recipe/recipe/r.yaml", ["a", "recipe/b"]),
    ],
)
def test_package_keeps_relative_paths_as_they_are(inputs, recipe, places):
    assert package_layout("r.yaml", inputs) == (recipe, places)
