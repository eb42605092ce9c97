"""Puts the built web page into the wheel. Everything else about packaging is in pyproject.toml."""

import importlib.util
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithPage(build_py):
    """Builds the page first when it is missing or older than its sources. An editable install needs no page."""

    def run(self) -> None:
        if not self.editable_mode:
            spec = importlib.util.spec_from_file_location("build_ui", ROOT / "dashboards" / "build_ui.py")
            assert spec is not None
            assert spec.loader is not None
            build_ui = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(build_ui)
            if not build_ui.is_current():
                build_ui.build()
            self.data_files = self._get_data_files()  # looked up before the page was there
        super().run()

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """The root is the package, and this file is not part of it."""
        found: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [module for module in found if module[:2] != ("spanward", "setup")]


setup(cmdclass={"build_py": BuildWithPage})
