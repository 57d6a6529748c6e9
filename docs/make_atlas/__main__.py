"""JSON reports of the validation suite -> `docs/atlas/atlas.json`, or a comparison with it.

`python -m docs.make_atlas RUN.json ...` writes the atlas from runs, one or more, of each backend.
`python -m docs.make_atlas --rest=WHY RUN.json ...` does so with runs of some model types: WHY stands in each other row.
`python -m docs.make_atlas --update RUN.json ...` writes the rows of these runs, and leaves the others as they are.
`python -m docs.make_atlas --check RUN.json ...` says which rows are worse than the atlas says, and fails if any is.
`python -m docs.make_atlas --tenth` prints the model types that CI runs, for `--ts-architectures`.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.make_atlas.refusals import why_not_published
from docs.make_atlas.rows import rows_of, run_of_the_rest
from docs.make_atlas.states import WORSE
from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.suite import list_model_types

ATLAS = Path(__file__).parents[1] / "atlas" / "atlas.json"
REST = "--rest="
VERSION = 1
"""The version of the schema, `docs/atlas/atlas-1.json`."""


def read(path: Path) -> dict[str, Any]:
    """A JSON file, which is an object."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def made(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The atlas of these runs."""
    return {"schema": VERSION, "versions": runs[0]["versions"], "types": rows_of(runs)}


def tenth(types: Sequence[str]) -> list[str]:
    """A fixed tenth of the model types: the same on every machine, and with other types around them."""
    return [one for one in types if zlib.crc32(one.encode()) % 10 == 0]


def worse(atlas: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each row of the runs that is worse than the atlas says."""
    for model_type, row in rows_of(runs).items():
        for backend, now in row.items():
            was = atlas["types"].get(model_type, {}).get(backend)
            if was is None:
                yield f"{model_type} on {backend} is {now['state']}, and the atlas has no row"
            elif now["state"] in WORSE[was["state"]]:
                yield f"{model_type} on {backend} was {was['state']} and is {now['state']}: {now['verdict']}"


def publish(paths: Sequence[Path], target: Path, types: Sequence[str], rest: str = "") -> int:
    """Write the atlas of the runs in these files, unless something speaks against it.

    `rest` says why some of the model types are in no run; without it each must be.
    """
    return _published(paths, target, types, rest, {})


def update(paths: Sequence[Path], target: Path, types: Sequence[str]) -> int:
    """Write the rows of the runs in these files; those of other types and backends stay what they are."""
    before = read(target)
    differing = [path.name for path in paths if read(path)["versions"] != before["versions"]]
    if differing:
        print(f"{', '.join(differing)}: other versions than {before['versions']}, of which the atlas is")
        print("nothing was published")
        return 1
    return _published(paths, target, [one for one in types if one not in before["types"]], "", before["types"])


def _published(
    paths: Sequence[Path], target: Path, types: Sequence[str], rest: str, before: Mapping[str, Mapping[str, Any]]
) -> int:
    runs = {path.name: read(path) for path in paths}
    runs |= {"the rest": run_of_the_rest(list(runs.values()), types, rest)} if rest else {}
    refusals = list(why_not_published(runs, types))
    if refusals:
        print(*refusals, "nothing was published", sep="\n")
        return 1
    atlas = made(list(runs.values()))
    rows = {**before, **{name: {**before.get(name, {}), **row} for name, row in atlas["types"].items()}}
    atlas["types"] = dict(sorted(rows.items()))
    with replacing(target) as partial:
        partial.write_text(json.dumps(atlas, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{target.name} was written: {len(atlas['types'])} model types")
    return 0


def check(paths: Sequence[Path], atlas: Path) -> int:
    """Say what is worse than the atlas."""
    runs = {path.name: read(path) for path in paths}
    found = [*why_not_published(runs, ()), *worse(read(atlas), list(runs.values()))]
    print(*found, f"{len(found)} rows are worse than the atlas says, or could not be compared", sep="\n")
    return 1 if found else 0


def main(arguments: Sequence[str]) -> int:
    """One of the commands."""
    if list(arguments) == ["--tenth"]:
        print(",".join(tenth(list_model_types())))
        return 0
    rest = "".join(one.removeprefix(REST) for one in arguments if one.startswith(REST))
    paths = [Path(name) for name in arguments if name not in ("--check", "--update") and not name.startswith(REST)]
    if not paths or any(path.suffix != ".json" for path in paths):
        print(__doc__)
        return 2
    if "--update" in arguments:
        return update(paths, ATLAS, list_model_types())
    return check(paths, ATLAS) if "--check" in arguments else publish(paths, ATLAS, list_model_types(), rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
