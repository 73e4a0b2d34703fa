"""The packages, found by their folders: ``model/`` is installed as ``anyir.model`` and so on."""

from setuptools import find_packages, setup

ROOTS = ("model", "conversion", "profiling")

setup(packages=[f"anyir.{name}" for root in ROOTS for name in find_packages(include=[root, f"{root}.*"])])
