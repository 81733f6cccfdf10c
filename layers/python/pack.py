"""Packs the layer: `python3 layers/python/pack.py target/layers` makes `python3.N.zip` for each Python that is here.

Lambda cannot keep what it compiles at a start, so the compiled code is in the zip, which is therefore for one version
of Python. `python.zip` has the sources alone: it is for all versions, and compiles them at every start. The same
sources and interpreters give the same bytes.
"""

import ast
import glob
import io
import os
import shutil
import subprocess
import sys
import tempfile
import tokenize
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "python" / "throughline_layer"
VERSIONS = range(9, 15)
# Nothing in a zip is older.
DATE = (1980, 1, 1, 0, 0, 0)
BYTES_MAX = 150 * 1024
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# Docstrings are left out. The loader trusts the code without looking at the source's date, which a layer loses.
COMPILE = """
import py_compile, sys
from pathlib import Path
source, target, tag = Path(sys.argv[1]), Path(sys.argv[2]), sys.implementation.cache_tag
for file in sorted(source.rglob("*.py")):
    name = file.relative_to(source)
    out = target / name.parent / "__pycache__" / (name.stem + "." + tag + ".pyc")
    py_compile.compile(
        str(file), str(out), "/opt/python/throughline_layer/" + str(name), True, 2,
        py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


def interpreters():
    """One interpreter for each minor version that is here: `{"3.11": path}`."""
    found = {}
    for minor in VERSIONS:
        name = "python3.%d" % minor
        installed = sorted(glob.glob(os.path.expanduser(os.path.join(os.environ.get("PYENV_ROOT", "~/.pyenv"), "versions/3.%d.*/bin/%s" % (minor, name)))))
        for candidate in [shutil.which(name), sys.executable] + installed:
            version = candidate and asked(candidate)
            if version == "3.%d" % minor:
                found[version] = candidate
                break
    return found


def asked(python):
    """The version that an interpreter says it is."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def slim(source):
    """The source without its comments and docstrings; every line stays where it was."""
    lines = source.decode().splitlines()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            # What has nothing else still has a body.
            text = node.body[0]
            lines[text.lineno - 1] = " " * text.col_offset + '""'
            lines[text.lineno : text.end_lineno] = [""] * (text.end_lineno - text.lineno)
    return ("\n".join(lines) + "\n").encode()


def pack(target, python=None):
    """Writes a zip with the code that this interpreter compiles; returns its bytes."""
    files = {"throughline": ((ROOT / "throughline").read_bytes(), 0o755)}
    for file in sorted(PACKAGE.rglob("*.py")):
        files["python/throughline_layer/" + file.relative_to(PACKAGE).as_posix()] = (slim(file.read_bytes()), 0o644)
    with tempfile.TemporaryDirectory() as folder:
        if python:
            # Columns of the source, for the markers in stack traces, are a third of the code.
            env = {**os.environ, "PYTHONNODEBUGRANGES": "1"}
            subprocess.run([python, "-c", COMPILE, str(PACKAGE), folder], check=True, env=env)
        for file in sorted(Path(folder).rglob("*.pyc")):
            files["python/throughline_layer/" + file.relative_to(folder).as_posix()] = (file.read_bytes(), 0o644)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name, (data, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, data)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(made.getvalue())
    return len(made.getvalue())


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "target/layers")
    targets = {"python.zip": None}
    targets.update({"python%s.zip" % version: python for version, python in interpreters().items()})
    for name, python in targets.items():
        size = pack(folder / name, python)
        print("%s: %.1f KB" % (folder / name, size / 1024))
        if size > BYTES_MAX:
            sys.exit("%s has more than %d KB" % (name, BYTES_MAX // 1024))


if __name__ == "__main__":
    main()
