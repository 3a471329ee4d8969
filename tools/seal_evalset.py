"""Write the SHA256 of every frozen file into a dataset, after somebody edited the files on purpose.

`python -m tools.seal_evalset evalsets/technoshare_eval.yaml`
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from technoshare.mlops.evaluation.dataset import sha256

_FROZEN = re.compile(r"\{file: (?P<file>[^,{}]+), sha256: (?:[0-9a-f]{64}|\"\")")


def sealed(text: str, folder: Path) -> str:
    """Return the dataset with the hashes of its files as they are now; only `{file: …, sha256: …}` is touched."""

    def seal(found: re.Match[str]) -> str:
        return f"{{file: {found['file']}, sha256: {sha256((folder / found['file']).read_bytes())}"

    return _FROZEN.sub(seal, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(sealed(path.read_text("utf-8"), path.parent), "utf-8")
        print(f"{path}: sealed")
