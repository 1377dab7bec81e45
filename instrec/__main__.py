"""`python -m instrec`."""

import sys

from instrec.cli import main

sys.exit(main())
