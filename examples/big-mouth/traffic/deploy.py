"""Deployments: what .build has of a function, as it is in the sources or with a mistake in it."""

from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
BUILD = HERE / ".build"

# Function, file, what the code says, and what the bad release says instead.
RELEASES = {
    "bad-deploy": ("place-order", "order.py", 'wanted.get("voucher")', 'wanted["voucher"]'),
    "memory-leak": (
        "place-order",
        "app.py",
        "    topic.publish(Message=json.dumps(order))\n",
        "    topic.publish(Message=json.dumps(order))\n    placed[order[\"id\"]] = json.dumps(order) * 40_000\n",
    ),
    "unexpected-write": (
        "update-stats",
        "app.py",
        "        count(order)\n",
        '        count(order)\n        boto3.resource("dynamodb").Table("users").put_item(\n'
        '            Item={"id": order["user"], "email": order["email"], "card": "tok_1", "last_order": order["id"]}\n        )\n',
    ),
    "cost-leak": (
        "update-stats",
        "app.py",
        "        count(order)\n",
        '        count(order)\n        for _ in range(24):\n'
        '            stats.get_item(Key={"restaurant": order["restaurant"]})\n            time.sleep(0.5)\n',
    ),
    # One order in four, by the last digit of its number.
    "timeout": (
        "place-order",
        "app.py",
        '    order["payment"] = ',
        '    while order["id"][-1] in "048c":\n        time.sleep(1)\n    order["payment"] = ',
    ),
}
# What a release needs at the top of its file.
TOPS = {
    "memory-leak": ("log = logging.getLogger()\n", "log = logging.getLogger()\nplaced = {}\n"),
    "cost-leak": ("import os\n", "import os\nimport time\n"),
    "timeout": ("import os\n", "import os\nimport time\n"),
}
PYTHON = ("place-order", "update-stats")


def text_of(release):
    """Function, file and text of a bad release."""
    function, file, good, bad = RELEASES[release]
    text = (HERE / function / file).read_text()
    for said, instead in [(good, bad), *([TOPS[release]] if release in TOPS else [])]:
        if text.count(said) != 1:
            raise ValueError(f"{release}: {function}/{file} does not say {said!r} once")
        text = text.replace(said, instead)
    return function, file, text


def bad(release):
    function, file, text = text_of(release)
    put(BUILD / function / file, text)


def back(release):
    """Rolls this release back, and with it any other of the same file."""
    function, file, _, _ = RELEASES[release]
    put(BUILD / function / file, (HERE / function / file).read_text())


def good():
    """Rolls back whatever was deployed, also by a run that was killed. Files that are as they should be stay untouched."""
    for function in PYTHON:
        for source in (HERE / function).glob("*.py"):
            put(BUILD / function / source.name, source.read_text())


def again():
    """Deploys the same once more, so that every environment of the functions starts anew."""
    for function in sorted(BUILD.iterdir()):
        for file in function.glob("*.js" if (function / "index.js").exists() else "*.py"):
            put(file, file.read_text(), always=True)


def put(place, text, always=False):
    """Moved into place, so that no function starts with half of it."""
    if not always and place.exists() and place.read_text() == text:
        return
    part = place.with_suffix(place.suffix + ".part")
    part.write_text(text)
    part.replace(place)
