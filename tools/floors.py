"""Print the oldest version of each package that `pip install capslib` accepts, a line each, as pip takes them."""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def floors() -> list[str]:
    """Such as "numpy==2.0.2", from "numpy>=2.0.2,<3" or "numpy~=2.0.2"."""
    return [re.sub(r"^([\w-]+)[~>]=([\w.]+).*$", r"\1==\2", wanted) for wanted in PROJECT["dependencies"]]


if __name__ == "__main__":
    print("\n".join(floors()))
