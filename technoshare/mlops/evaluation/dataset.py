"""Evaluation examples: a YAML or JSON file, each example with its frozen HTTP exchanges."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from technoshare.errors import ConfigError
from technoshare.models import Value


class Expect(Value):
    """What a good run of this example looks like."""

    outcome: Literal["comment", "failed"] = "comment"
    obstacle: str = ""
    """With `failed`: the machine name of the reason."""


class Example(Value):
    """One link to comment on; `snapshot` is a path relative to the dataset's folder."""

    id: str = Field(pattern=r"^[a-z0-9_-]+$")  # becomes part of metric names
    url: str
    slack_text: str = ""
    expected_theme: str = ""
    tags: tuple[str, ...] = ()
    snapshot: Path
    expect: Expect = Expect()


class Dataset(Value):
    """A named list of examples with unique ids."""

    dataset_name: str
    examples: tuple[Example, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA256[:12] of the canonical content."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def load_dataset(path: Path) -> Dataset:
    """Read a dataset. Raises `ConfigError` that names the file and what is wrong in it."""
    try:
        dataset = Dataset.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for name, values in (("id", [e.id for e in dataset.examples]), ("url", [e.url for e in dataset.examples])):
        repeated = [value for value, count in Counter(values).items() if count > 1]
        if repeated:
            raise ConfigError(f"{path}: {name} {repeated[0]!r} occurs twice")
    return dataset
