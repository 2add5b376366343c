"""Print the dependencies of pyproject.toml pinned to the lowest version it admits."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
print(" ".join(requirement.replace(">=", "==") for requirement in project["dependencies"]))
