"""Failures a user can act on. The message says what is wrong and what to do about it."""


class WarehouseError(Exception):
    """Base of all failures a user can act on; `exit_code` is what the command exits with."""

    exit_code = 1


class BuildFailedError(WarehouseError):
    """dbt could not build a model."""


class UsageError(WarehouseError):
    """The command cannot do this with what it was given."""

    exit_code = 2


class MappingError(UsageError):
    """An import mapping is wrong; the message names the line to fix."""


class FileRefusedError(WarehouseError):
    """A file is wrong as a whole; the message says why and what to do, and starts with "it"."""

    exit_code = 3


class FilesRefusedError(WarehouseError):
    """Some files were refused; all others were taken."""

    exit_code = 3


class AuditFailedError(WarehouseError):
    """A rule about the built marts does not hold; nothing was published."""

    exit_code = 4


class HomeBusyError(WarehouseError):
    """Another process writes to this warehouse home."""

    exit_code = 5


class TamperedError(WarehouseError):
    """A stored file is not what the ledger says it was."""

    exit_code = 6


# What DuckDB and dbt, which hand on no error number, say when a folder cannot be written to.
_STORAGE = (
    "no space left on device",
    "disk quota exceeded",
    "file too large",
    "read-only file system",
    "permission denied",
    "input/output error",
)


def tells_of_storage(error: Exception) -> bool:
    """Whether an error comes from the disk or from rights to it, not from what was read."""
    return any(words in str(error).lower() for words in _STORAGE)
