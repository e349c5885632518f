"""Prints what wheels must fit: system, processor and Python, as in linux-x86_64-cp311."""  # noqa: INP001 (a script)

import sys
import sysconfig

print(f"{sysconfig.get_platform()}-cp{sys.version_info.major}{sys.version_info.minor}")
