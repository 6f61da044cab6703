"""The programs that go in: what tools/release made, stripped, and of which source."""
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


def stripped(path):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "-o", out.name, path], check=True)
        return pathlib.Path(out.name).read_bytes()


def released(out, folder):
    """kettle and init of what tools/release made, in folder; without one it is made first, in out/release."""
    if not folder:
        folder = out / "release"
        subprocess.run([ROOT / "tools/release", folder], check=True)
    found = [sorted(pathlib.Path(folder).glob(f"{name}-*-linux-amd64")) for name in ("kettle", "init")]
    if not all(len(paths) == 1 for paths in found):
        raise ValueError(f"{folder}: is not what tools/release makes")
    return [paths[0] for paths in found]


def source():
    """{version, git_revision}."""
    run = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    version = next(line.split("'")[1] for line in (ROOT / "meson.build").read_text().splitlines() if line.startswith("  version:"))
    return {"version": version, "git_revision": run.stdout.strip()}
