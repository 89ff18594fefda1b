"""Zips the function as Lambda takes it: `bootstrap`, executable, and nothing of when or where.

    python3 build/zip_function.py <program> <zip>

The same program gives the same bytes, so that Terraform sees a new function only where one is.
"""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, target = map(Path, sys.argv[1:])
    zip_function(program, target)
    print(f"{target}: {target.stat().st_size:,} bytes")


def zip_function(program: Path, target: Path) -> None:
    entry = ZipInfo("bootstrap")  # of 1980, the first year a zip knows
    entry.create_system = 3  # Unix, on any
    entry.external_attr = 0o100755 << 16
    with ZipFile(target, "w") as archive:
        archive.writestr(entry, program.read_bytes(), ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
