"""How Sphinx builds the site from the pages that `pages.py` sets."""

from importlib.metadata import version as version_of

project = "rlsiron"
version = release = version_of(project)
author = project_copyright = "rlsiron contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"

myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a card may stand below a table of its population

autodoc_typehints = "none"  # types stand in the signature
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_param = False  # names that share a meaning stay together
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"rlsiron {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
