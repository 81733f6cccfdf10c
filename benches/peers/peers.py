"""The corpus in ClickHouse (in process) and DuckDB: bytes, load, and the questions of `bench-store`.

    peers.py FOLDER STORE_JSON OUT_JSON [PEER ...]

FOLDER is what `bench-corpus export` wrote, STORE_JSON what `bench-store` wrote about as many rows. Every peer runs
in a process of its own, one after the other, with what it would use by itself. Prints theirs beside ours and the
ratio: above 1 the peer needs more.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from layouts import PEERS

WARM_UP, WARM, SEARCHES, GROUPS = 100, 300, 20, 5


def main():
    if sys.argv[1] == "--one":
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
        return
    folder, store, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    names = sys.argv[4:] or list(PEERS)
    results = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        one = subprocess.run(
            [sys.executable, __file__, "--one", name, str(folder)], stdout=subprocess.PIPE, check=False, text=True
        )
        if one.returncode == 0:
            results[name] = json.loads(one.stdout.splitlines()[-1])
        else:
            results[name] = {"failed": f"ended with {one.returncode}"}
    ours = json.loads(store.read_text())
    figures = compare(ours, results)
    out.parent.mkdir(parents=True, exist_ok=True)
    document = {key: ours[key] for key in ("commit", "date", "machine", "profile", "rows")}
    document |= {"bench": "peers", "figures": figures, "peers": results}
    out.write_text(json.dumps(document, indent=2) + "\n")
    show(figures, names)
    print(f"\nwritten to {out}")


def measure(name, folder):
    """Everything about one peer, in this process."""
    questions = json.loads((folder / "questions.json").read_text())
    data = folder / f"data-{name}"
    shutil.rmtree(data, ignore_errors=True)
    peer = PEERS[name](data, folder)
    rows, traces = questions["rows"], questions["traces"]
    figures, notes = {}, {}
    for signal in peer.signals:
        begun = time.perf_counter()
        peer.load(signal)
        seconds = time.perf_counter() - begun
        loaded = peer.count(signal)
        assert loaded == rows, f"{loaded} of {rows} rows"
        figures[f"load_{signal}"] = rows / seconds
        peer.settle(signal)
        figures[f"bytes_{signal}"] = peer.bytes(signal) / rows
    ask = Asking(peer, figures, notes)
    if "spans" in peer.signals:
        ids = [(trace["trace_id"], trace["spans"]) for trace in traces]
        ask.traces("trace_warm", ids[:WARM_UP], ids[WARM_UP : WARM_UP + WARM])
        ask.all("trace_unknown", [lambda i=i: peer.trace(f"{i:032x}") for i in range(1, 1 + WARM)])
        some = traces[WARM_UP + WARM :][:SEARCHES]
        ask.all("newest_20_common", [lambda t=t: peer.newest(t["service"], "faas.coldstart", False) for t in some])
        ask.all("newest_20_tenant", [lambda t=t: peer.newest(t["service"], "app.tenant", t["tenant"]) for t in some])
        ask.all("newest_20_user", [lambda t=t: peer.newest(t["service"], "user.id", t["user"]) for t in some])
        ask.all("newest_20_none", [lambda t=t: peer.newest(t["service"], "app.tenant", "nobody") for t in some])
        ask.all("group_by_ad_hoc", [peer.group] * GROUPS)
    if "logs" in peer.signals:
        some = traces[-SEARCHES:]
        ask.all("log_rare_token", [lambda t=t: peer.token(t["order"]) for t in some])
        ask.all("log_common_substring", [lambda: peer.substring("connect timed out")] * 3)
    figures["resident"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peer.close()
    shutil.rmtree(data, ignore_errors=True)
    return {"figures": figures, "notes": notes, "version": peer.version}


class Asking:
    """Asks questions and keeps the median of milliseconds."""

    def __init__(self, peer, figures, notes):
        self.peer, self.figures, self.notes = peer, figures, notes

    def all(self, name, questions):
        took, found = [], 0
        for question in questions:
            begun = time.perf_counter()
            found += question()
            took.append(1000 * (time.perf_counter() - begun))
        self.figures[name] = statistics.median(took)
        self.notes[name] = f"{found / len(questions):.1f} rows an answer"

    def traces(self, name, first, then):
        for trace, _ in first:
            self.peer.trace(trace)
        self.all(name, [lambda t=t: self.peer.trace(t) for t, _ in then])
        wrong = sum(self.peer.trace(trace) != spans for trace, spans in then[:50])
        self.notes[name] += f"; {wrong} of 50 answers were not what was sent"


# Figure, the name that `bench-store` gives it, unit, and whether more is better.
TABLE = [
    ("bytes_spans", "bytes_a_span", "bytes", False),
    ("bytes_logs", "bytes_a_log_row", "bytes", False),
    ("load_spans", "ingest_sustained", "spans/s", True),
    ("load_logs", None, "rows/s", True),
    ("trace_warm", "trace_warm", "ms", False),
    ("trace_unknown", "trace_unknown", "ms", False),
    ("newest_20_common", "newest_20_common", "ms", False),
    ("newest_20_tenant", "newest_20_tenant", "ms", False),
    ("newest_20_user", "newest_20_user", "ms", False),
    ("newest_20_none", "newest_20_none", "ms", False),
    ("group_by_ad_hoc", "group_by_ad_hoc", "ms", False),
    ("log_rare_token", "log_rare_token", "ms", False),
    ("log_common_substring", "log_common_substring", "ms", False),
    ("resident", "resident_questions", "MiB", False),
]


def compare(ours, results):
    values = {figure["name"]: figure["value"] for figure in ours["figures"]}
    figures = []
    for name, of_ours, unit, more_is_better in TABLE:
        own = values.get(of_ours)
        beside, ratios = {}, {}
        for peer, result in results.items():
            theirs = result.get("figures", {}).get(name)
            beside[peer] = theirs
            if own and theirs:
                ratios[peer] = round(own / theirs if more_is_better else theirs / own, 3)
        note = "" if own is not None else "not yet in the product"
        figures.append({"name": name, "unit": unit, "value": own, "beside": beside, "ratio": ratios, "note": note})
    return figures


def show(figures, names):
    def number(value):
        return "-" if value is None else f"{value:,.2f}"

    print(f"{'figure':<24}{'unit':<10}{'throughline':>14}" + "".join(f"{name:>28}" for name in names))
    for figure in figures:
        cells = ""
        for name in names:
            ratio = figure["ratio"].get(name)
            times = f" ({ratio:.2f}x)" if ratio else ""
            cells += f"{number(figure['beside'].get(name)) + times:>28}"
        print(f"{figure['name']:<24}{figure['unit']:<10}{number(figure['value']):>14}{cells}")
    print("\nIn brackets: how many times as much the peer needs; below 1 it is better. The peers load Parquet that is")
    print("read from the page cache and sync nothing; Throughline takes OTLP over gRPC and acknowledges after fdatasync.")


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    main()
