"""Clocks and times, judged."""

import pytest

from seedcorn.core.errors import StoreError
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance.probe import Broken, Doubtful, run_checks
from seedcorn.storage.conformance.remote import remote_checks, skew, speed_checks
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.opening import open_store


def test_skew_is_fine_then_doubtful_then_broken():
    assert skew(-59) == "59.0 s apart" or skew(-59) == "-59.0 s apart"
    with pytest.raises(Doubtful, match="61 s ahead"):
        skew(61)
    with pytest.raises(Doubtful, match="899 s behind"):
        skew(-899)
    with pytest.raises(Broken, match="901 s ahead"):
        skew(901)


@pytest.mark.s3
@pytest.mark.parametrize(("off", "level"), [(0.0, "ok"), (300.0, "warning"), (-4000.0, "fails")])
def test_clock_that_is_off_is_found_against_a_real_server(seaweedfs_server, s3_uri, off, level):
    import time

    spec = StoreSpec(endpoint=seaweedfs_server.endpoint)
    checks = remote_checks(spec, lambda: time.time() + off)
    name = "the clocks of server and client agree"
    [finding] = run_checks(open_store(s3_uri(), spec), {name: checks[name]})
    assert finding.level == level, finding


def test_requests_that_take_longer_than_the_deadline_fail(tmp_path):
    store = MemoryStore(str(tmp_path))
    [finding] = run_checks(store, speed_checks(StoreSpec(deadline_s=1e-9)))
    assert finding.level == "fails"
    [finding] = run_checks(store, speed_checks(StoreSpec(deadline_s=60)))
    assert finding.level == "ok"
    assert "create" in finding.detail


def test_store_that_stops_answering_is_a_finding(tmp_path):
    def refuse(when, operation, key):
        raise StoreError("gone")

    [finding] = run_checks(MemoryStore(str(tmp_path), refuse), speed_checks(StoreSpec()))[:1]
    assert (finding.level, finding.detail) == ("fails", "gone")
