"""Importing this grows and proves a corpus in memory: every kernel is loaded before drivers are forked.

All threads that it starts end with it, so that a fork inherits none.
"""

import asyncio
from functools import cache

import botocore.loaders
from aiobotocore.session import AioSession

from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.stores.opening import open_store
from tests.corpora.growing import grow_in_process
from tests.faults.processes.corpora import found
from tests.faults.processes.driver import RECIPE, SMALL

_loaded = load_recipe(RECIPE, [*SMALL, "corpus=memory:warm", "engine.simulated.latency_s=0"])
grow_in_process(_loaded.recipe, "memory:warm", _loaded.base)
found(open_store("memory:warm", StoreSpec()))
# Every client parses the same descriptions of S3, 0.2 s each time; they are parsed here, once.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)


async def _describe() -> None:
    async with AioSession().create_client(
        "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a"
    ):
        pass


asyncio.run(_describe())
