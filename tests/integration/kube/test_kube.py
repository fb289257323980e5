#!/usr/bin/env python3
"""KubeRay: the cases of kube_*.py beside this file, over one real control plane.
usage: test_kube.py RAYTUI [TEST...]   TEST: a word of a case's name, such as Manifest or test_a_quota"""
import glob
import importlib
import os
import sys
import unittest

import kube_bed

HERE = os.path.dirname(os.path.abspath(__file__))


def tests(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from tests(t)
        else:
            yield t


def main():
    names = sorted(os.path.basename(f)[:-3] for f in glob.glob(os.path.join(HERE, "kube_*.py")))
    chosen = unittest.TestSuite()
    for name in names:
        for t in tests(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))):
            if not sys.argv[2:] or any(word in t.id() for word in sys.argv[2:]):
                chosen.addTest(t)
    try:
        result = unittest.TextTestRunner(verbosity=2).run(chosen)
    finally:
        if kube_bed.BED is not None:
            kube_bed.BED.close()
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
