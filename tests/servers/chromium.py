"""Headless Chromium for tests of pages: Debian's `chromium` and `chromium-driver`.

The browser may reach nothing: no name resolves, and it starts with an empty profile that is gone
afterwards. It ends with the fixture that opened it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PACKAGES = ("chromium", "chromium-driver")
INSTALL_WITHIN_S = 240.0
DRAWN_WITHIN_S = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def why_not() -> str:
    """Why there is no browser here, after having tried to install one; empty where there is."""
    if _found():
        return ""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return f"Debian packages {' and '.join(PACKAGES)} are missing, and only root can install"
    end = time.monotonic() + INSTALL_WITHIN_S
    install = ["install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
    for words in (install, ["update", "--quiet"], install):
        if _apt([apt, *words], end - time.monotonic()) and _found():
            return ""
    return f"apt-get could not install {' and '.join(PACKAGES)}"


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile below `folder`; it logs its console and its requests."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


class Screen:
    """One size and one colour scheme of a browser."""

    def __init__(self, browser: webdriver.Chrome, width: int, scheme: str = "light") -> None:
        """`width` in CSS pixels; below 600 the browser is a phone's."""
        self.browser, self.width = browser, width
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.prefer(scheme)

    def prefer(self, scheme: str, media: str = "") -> None:
        """Set prefers-color-scheme (light or dark) and the medium (screen or print)."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )

    def open(self, page: Path) -> None:
        """Load the page and wait until it says that its figures are drawn."""
        self.browser.get(page.as_uri())
        self.wait("return document.documentElement.dataset.drawn === 'yes'")

    def wait(self, condition: str) -> None:
        """Until a script returns true; raises AssertionError when it never does."""
        end = time.monotonic() + DRAWN_WITHIN_S
        while not self.ask(condition):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.05)

    def ask(self, script: str, *arguments: object) -> object:
        """What a script returns."""
        return self.browser.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """Text of every element."""
        return [one.text for one in self.browser.find_elements(By.CSS_SELECTOR, selector)]


def _found() -> bool:
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


def _apt(command: list[str], within_s: float) -> bool:
    environment = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=max(within_s, 1), check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
