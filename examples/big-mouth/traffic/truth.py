"""The ground truth: one line of JSON for each beginning and each end of what was made to go wrong."""

import json
import time


class Truth:
    def __init__(self, path):
        self.path = path

    def tell(self, event, name, misbehaviour, seed):
        if not self.path:
            return
        line = {
            "event": event,
            "misbehaviour": name,
            "unix_millis": time.time_ns() // 1_000_000,
            "seed": seed,
            "what": misbehaviour.what,
            "where": misbehaviour.where,
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
