"""Moto's server, with one thing mended: it goes on writing to shards that were split or merged, where AWS does not."""
import sys

from moto.kinesis.models import Stream
from moto.server import main

every_shard_for_key = Stream.get_shard_for_key


def open_shard_for_key(self, partition_key, explicit_hash_key):
    every, self.shards = self.shards, {name: shard for name, shard in self.shards.items() if shard.is_open}
    try:
        return every_shard_for_key(self, partition_key, explicit_hash_key)
    finally:
        self.shards = every


Stream.get_shard_for_key = open_shard_for_key
sys.exit(main(sys.argv[1:]))
