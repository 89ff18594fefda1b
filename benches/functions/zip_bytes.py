"""How many bytes a zip of these files and folders has, each folder without compiled files."""

import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile


def main() -> None:
    zipped = BytesIO()
    with ZipFile(zipped, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for path in map(Path, sys.argv[1:]):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file() and file.suffix != ".pyc":
                    archive.write(file, file.relative_to(path.parent))
    print(len(zipped.getvalue()))


if __name__ == "__main__":
    main()
