"""Throughline's layer for Python: follows an invocation and what it calls, without a change of its code.

`bootstrap` is what the runtime loads instead of the function's handler, `invocation` what happens around a call
of it, `hooks` what is wrapped when the function imports it. Everything is sent to the extension on loopback.
Nothing here may fail the function: what goes wrong is counted and said once (`faults`).
"""

VERSION = "0.1.0"
SCOPE = "throughline.python"
