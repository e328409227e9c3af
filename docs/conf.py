"""How Sphinx builds the site from the pages that `pages.py` sets.

Sphinx, since it and MyST have new releases every few months (Material for MkDocs has none any
more), read the Markdown that is also a doctest, and refuse a link that leads nowhere.
"""

from importlib.metadata import version as version_of

project = "rlsiron"
version = release = version_of(project)
author = project_copyright = "rlsiron contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "index"

myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a card may stand below a table of its population

autodoc_typehints = "none"  # types stand in the signature
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # its attributes say what a record holds
numpydoc_xref_param_type = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"rlsiron {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
