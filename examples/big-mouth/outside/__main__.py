"""Starts all that is outside, prints the addresses as one line of JSON, and stops when its standard input ends."""

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

from outside import account, mail, pay

APPLICATION = Path(__file__).resolve().parents[1] / "throughline.toml"
PORTS = {"aws": 4311, "pay": 4312, "smtp": 4313, "mail": 4314}


def main():
    parser = argparse.ArgumentParser(prog="play outside", description=__doc__)
    parser.add_argument("--any-port", action="store_true", help=f"free ports instead of {PORTS}")
    parser.add_argument("--functions", action="store_true", help="the account has the functions, with a role each")
    arguments = parser.parse_args()
    ports = dict.fromkeys(PORTS, 0) if arguments.any_port else PORTS
    aws = AWS(ports["aws"])
    if arguments.functions:
        account.deploy(aws.url, tomllib.loads(APPLICATION.read_text())["functions"])
    mailbox = mail.Mailbox()
    addresses = {
        "aws": aws.url,
        "pay": pay.serve(ports["pay"]),
        "smtp": mail.serve_smtp(mailbox, ports["smtp"]),
        "mail": mail.serve_http(mailbox, ports["mail"]),
    }
    print(json.dumps(addresses), flush=True)
    sys.stdin.read()
    aws.stop()


class AWS:
    """moto's server in a process of its own, which ends with this one."""

    def __init__(self, port):
        command = [sys.executable, "-m", "outside.aws", "-H", "127.0.0.1", "-p", str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()
        if not self.url:
            sys.exit(f"moto's server does not start on port {port}")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


main()
