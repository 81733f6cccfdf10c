"""How large what others offer is as a layer: `python3 layers/python/sizes.py` prints it.

Packages as pip installs them, with all that they depend on but without what Lambda's runtime has itself, in a zip made
as ours is. Compiled code is left out, as their layers leave it out.
"""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# What is there without them: the runtime's own packages, and pip's.
RUNTIME = ["awslambdaric", "boto3", "pip", "setuptools", "wheel"]

# Run by the interpreter that has the packages: their files, and where they lie.
FILES = """
import importlib.metadata as metadata, re, sys

def plain(name):
    return re.sub("[-_.]+", "-", name).lower()

found = {plain(one.metadata["Name"]): one for one in metadata.distributions()}

def needed(name, seen):
    name = plain(name)
    if name in seen or name not in found:
        return
    seen.add(name)
    for other in found[name].requires or []:
        if "extra ==" not in other:
            needed(re.match(r"[\\w.-]+", other).group(), seen)

runtime = set()
for name in sys.argv[1:]:
    needed(name, runtime)
for name, one in sorted(found.items()):
    for file in one.files or [] if name not in runtime else []:
        place = file.locate()
        if not str(file).startswith("..") and not str(file).endswith(".pyc") and place.is_file():
            print(file, place, sep="\\t")
"""


def zip_bytes(python):
    """The bytes of a zip of everything that is installed for this interpreter, beside what the runtime has."""
    listed = subprocess.run([python, "-c", FILES, *RUNTIME], capture_output=True, text=True, check=True).stdout
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for line in listed.splitlines():
            name, place = line.split("\t")
            zipped.writestr("python/" + name, Path(place).read_bytes())
    return len(made.getvalue())


def main():
    for name in ("otel", "xray"):
        python = subprocess.run([str(ROOT / "venv"), name], capture_output=True, text=True, check=True).stdout.strip()
        print("%s: %.0f KB" % (name, zip_bytes(python) / 1024))


if __name__ == "__main__":
    sys.exit(main())
