"""The site's pages, from what there is: README, docs, benchmarks, the tool's help, Terraform's variables.

    python3 build/site/pages.py NOZZLE FOLDER
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = Path(__file__).parent
# What a page is called there, where that is not what it is called here.
RENAMED = {
    "README.md": "firehose-transform.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benches/RESULTS.md": "benchmark.md",
    "benches/STAR.md": "benchmark-star.md",
    "benches/RUN.md": "benchmark-run.md",
}
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def main(nozzle: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(SITE / "conf.py", folder)
    pages = {name: to for name, to in RENAMED.items() if (ROOT / name).exists()}
    pages |= {f"docs/{page.name}": page.name for page in (ROOT / "docs").glob("*.md")}
    for name, to in pages.items():
        text = (ROOT / name).read_text()
        folder.joinpath(to).write_text(linked(text, Path(name).parent, pages))
    readme = (ROOT / "README.md").read_text()
    front = (SITE / "index.md").read_text()
    benchmarks = [to.removesuffix(".md") for to in pages.values() if to.startswith("benchmark")]
    front = front.replace("{{costs}}", linked(costs(readme), Path(), pages)).replace("{{benchmarks}}", "\n".join(benchmarks))
    unknown = set(commands(front)) - set(commands(readme))
    if unknown:
        raise SystemExit(f"the front page shows what no test runs, since the README does not show it: {unknown}")
    folder.joinpath("index.md").write_text(front)
    folder.joinpath("terraform.md").write_text(variables((ROOT / "terraform/variables.tf").read_text()))
    write_commands(nozzle, folder / "commands")


def linked(text: str, where: Path, pages: dict[str, str]) -> str:
    """Links between pages as they lie in the site; what is no page of it is named, and no link."""

    def link(found: re.Match) -> str:
        target, anchor = found[1], found[2] or ""
        if not target or "://" in target:
            return found[0]
        path = (ROOT / where / target).resolve().relative_to(ROOT)
        if str(path) == "terraform/variables.tf":
            return f"](terraform.md{anchor})"
        if str(path) not in pages:
            raise SystemExit(f"{where}: {target} is no page of the site")
        return f"]({pages[str(path)]}{anchor})"

    return LINK.sub(link, text)


def costs(readme: str) -> str:
    return readme.split("## What it costs\n")[1].split("\n## ")[0].strip()


def commands(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    shown = [line.split(" #")[0].strip() for line in lines]
    return [part for line in shown for part in line.split(" && ") if part.startswith("nozzle ")]


def variables(text: str) -> str:
    rows = []
    for name, body in VARIABLE.findall(text):
        description = re.search(r'^  description = "(.*)"$', body, re.MULTILINE)
        default = re.search(r"^  default     = (.*)$", body, re.MULTILINE)
        value = "Required." if default is None else f"Default: `{shown_default(default[1])}`."
        rows.append(f"| `{name}` | {description[1] if description else ''} {value} |")
    return (
        "# Variables of an environment\n\n"
        "An environment is a file in `terraform/environments/`. Only `environment` and `region` must be given.\n\n"
        "| variable | meaning |\n|---|---|\n" + "\n".join(rows).replace('\\"', '"') + "\n"
    )


def shown_default(value: str) -> str:
    return "…" if value in ("{", "[") else value.replace("|", "\\|")


def write_commands(nozzle: str, folder: Path) -> None:
    folder.mkdir()
    names = listed(help_of(nozzle, []))
    overview = f"# Commands\n\nAs `nozzle --help` says it.\n\n{fenced(help_of(nozzle, []))}\n"
    toc = "\n".join(names)
    folder.joinpath("index.md").write_text(f"{overview}\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n")
    for name in names:
        text = help_of(nozzle, [name])
        parts = [f"# nozzle {name}\n\n{fenced(text)}\n"]
        for below in listed(text):
            parts.append(f"## nozzle {name} {below}\n\n{fenced(help_of(nozzle, [name, below]))}\n")
        folder.joinpath(f"{name}.md").write_text("\n".join(parts))


def help_of(nozzle: str, words: list[str]) -> str:
    ran = subprocess.run([nozzle, *words, "--help"], capture_output=True, text=True, check=True)
    return ran.stdout.rstrip()


def listed(text: str) -> list[str]:
    """The commands in a command's help."""
    section = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^  (\S+)", section[1], re.MULTILINE) if section else []
    return [name for name in names if name != "help"]


def fenced(text: str) -> str:
    return f"````text\n{text}\n````"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
