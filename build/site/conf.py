"""The site, for Sphinx: it has nothing of another machine in it, and works as files."""

project = "Nozzle"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Nozzle"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# A line of help has up to 100 characters.
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"code-font-size": "0.7rem"},
}
# Help, shell and JSON are shown as they are.
highlight_language = "none"
