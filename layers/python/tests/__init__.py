"""Tests of the layer: `python3 -m unittest discover -s layers/python -t layers/python`."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))
