"""The compiled project, which the package holds since the accuracy study runs it too."""

from warehouse.compiled import CompiledProject, Rows, write_empty_extracts
from warehouse.home import PROJECT as ROOT

__all__ = ["ROOT", "CompiledProject", "Rows", "write_empty_extracts"]
