"""Run as `python -m peermeet`."""

from peermeet.cli import main

raise SystemExit(main())
