"""An installed distribution, made in a folder that is put on the path: no network, no pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def install(folder: Path, pyproject: str, modules: Mapping[str, str]) -> Path:
    """What pip would leave of a project: its package, and a .dist-info with its entry points.

    Args:
        folder: Gets the package and the .dist-info; to be put on the path.
        pyproject: The project's pyproject.toml.
        modules: Name -> source of each module of its package.
    """
    project = tomllib.loads(pyproject)["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    package = folder / name
    package.mkdir(parents=True)
    for module, source in {"__init__": "", **modules}.items():
        (package / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    )
    groups = project["entry-points"].items()
    (info / "entry_points.txt").write_text(
        "\n".join(
            f"[{group}]\n" + "\n".join(f"{kind} = {value}" for kind, value in entries.items())
            for group, entries in groups
        )
    )
    files = [f"{name}/{file.name},," for file in sorted(package.iterdir())]
    (info / "RECORD").write_text("\n".join(files) + "\n")
    return folder


def project(name: str, group: str, **kinds: str) -> str:
    """A pyproject.toml with entry points of one group."""
    lines = [f'{kind} = "{value}"' for kind, value in kinds.items()]
    return (
        f'[project]\nname = "{name}"\nversion = "1.2"\n\n'
        f'[project.entry-points."{group}"]\n' + "\n".join(lines) + "\n"
    )


def run_python(
    *arguments: str, path: tuple[Path, ...] = (), cwd: Path = ROOT, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """A process with distributions on its path."""
    search = os.pathsep.join(map(str, (ROOT, *path)))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": search, "BACKTEST_HOME": str(cwd / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return done


def run_cli(
    *arguments: str, path: tuple[Path, ...] = (), cwd: Path = ROOT, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """The real command line, in a process of its own."""
    code = "import sys; from engine.cli.main import main; sys.argv[0] = 'backtest'; main()"
    return run_python("-c", code, *arguments, path=path, cwd=cwd, expect=expect)
