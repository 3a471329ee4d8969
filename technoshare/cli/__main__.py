import sys

from technoshare.cli import main

sys.exit(main())
