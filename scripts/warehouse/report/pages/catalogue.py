"""Data catalogue: what each mart holds. Its content comes from the comments of the file itself."""

from warehouse.report.figure import Page

PAGE = Page(
    "catalogue",
    "Data catalogue",
    "Which tables are there, and what does each column mean?",
    (),
    sheets=40,
)
