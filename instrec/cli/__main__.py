"""`python -m instrec.cli`."""

import sys

from instrec.cli import main

sys.exit(main())
