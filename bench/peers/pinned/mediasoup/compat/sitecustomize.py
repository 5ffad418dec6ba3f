"""Lets the build system that mediasoup 3.8 carries (gyp) run on Python 3.10 and later, where this name moved. For its build alone."""

import collections
import collections.abc

collections.MutableSet = collections.abc.MutableSet  # type: ignore[attr-defined]
