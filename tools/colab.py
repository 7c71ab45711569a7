"""Write copies of the notebooks for Colab: `python -m tools.colab OWNER/NAME ADDRESS`, for a repository on GitHub.

They lie in build/colab/notebooks, and the workflow that publishes the site puts them into the repository's branch
`colab`, from which the site's pages open them. A copy differs in two ways: its first cell installs capslib where it
runs in Colab, and its links lead to addresses, since a notebook in Colab has no files beside it.
"""

import argparse
import copy
import json
import posixpath
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "colab"
BRANCH = "colab"
COLAB = "https://colab.research.google.com"
GITHUB = "https://github.com"

INSTALL = f"""# In Colab this installs the course from its repository; anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "capslib[course] @ git+{GITHUB}/{{repository}}@{BRANCH}"
"""

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>(?![a-z]+:|#)[^)\s]+)\)")


def checked(repository: str) -> str:
    """The name of a repository.

    Raises:
        ValueError: if it is not an owner and a name.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"repository: got {repository!r}, expected OWNER/NAME")
    return repository


def copy_for_colab(notebook: dict, folder: str, repository: str, address: str) -> dict:
    """A notebook as it works in Colab.

    Args:
        notebook: as it is saved; left as it is.
        folder: where it lies in the repository, such as "notebooks/solutions".
        repository: OWNER/NAME on GitHub.
        address: where the site is, from which the figures come.
    """

    def absolute(link: re.Match) -> str:
        path = posixpath.normpath(posixpath.join(folder, link["target"]))
        if link["picture"]:
            to = f"{address.rstrip('/')}/_images/{posixpath.basename(path)}"
        elif path.endswith(".ipynb"):
            to = f"{COLAB}/github/{repository}/blob/{BRANCH}/{path}"
        else:
            to = f"{GITHUB}/{repository}/blob/{BRANCH}/{path}"
        return f"{link['picture']}[{link['text']}]({to})"

    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = LINK.sub(absolute, "".join(cell["source"])).splitlines(keepends=True)
    source = INSTALL.format(repository=repository).rstrip().splitlines(keepends=True)
    install = {"cell_type": "code", "id": "colab-install", "execution_count": None, "outputs": [], "source": source}
    made["cells"].insert(0, {**install, "metadata": {}})
    return made


def write_all(repository: str, address: str, target: Path = TARGET) -> list[Path]:
    """Write the copies of all notebooks into a folder, which is replaced; gives their paths."""
    checked(repository)
    shutil.rmtree(target, ignore_errors=True)
    made = []
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        place = path.relative_to(ROOT)
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for_colab = copy_for_colab(notebook, place.parent.as_posix(), repository, address)
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        (target / place).write_text(json.dumps(for_colab, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        made.append(target / place)
    return made


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.colab", description=__doc__.splitlines()[0])
    parser.add_argument("repository", help="OWNER/NAME on GitHub")
    parser.add_argument("address", help="where the site is, such as https://example.org/capsules/")
    given = parser.parse_args()
    try:
        made = write_all(given.repository, given.address)
    except ValueError as error:
        sys.exit(f"colab: {error}")
    print(f"colab: {len(made)} notebooks in {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
