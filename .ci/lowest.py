"""Print the dependencies of pyproject.toml, the Parquet extra's among them, pinned to the lowest version it admits."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
requirements = project["dependencies"] + project["optional-dependencies"]["parquet"]
print(" ".join(requirement.replace(">=", "==") for requirement in requirements))
