"""The command line: parses, calls, prints. What the commands do lives in the other modules."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import (
    FilesRefusedError,
    TamperedError,
    UsageError,
    WarehouseError,
    tells_of_storage,
)
from warehouse.home import PROJECT, Home, folder

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

EXIT_CODES = """\
exit codes:
  0  done
  1  failed: a model could not be built, or something unforeseen
  2  not possible with what was given; the message says what to change
  3  files were refused as a whole; all others were taken
  4  a rule about the built marts failed; nothing was published
  5  another process is writing to this warehouse home
  6  a stored file is not what the ledger says it was
  130  stopped by Ctrl-C; run it again to go on
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes stand in `warehouse --help`."""
    arguments = parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except WarehouseError as error:
        _complain(arguments.command, str(error))
        return error.exit_code
    except Exception as error:
        if not tells_of_storage(error):
            raise
        reason = str(error).splitlines()[0]
        _complain(
            arguments.command,
            f"a folder cannot be written to: {reason}\nNothing accepted or published is lost: give it "
            "room or the right to write, then run it again.",
        )
        return WarehouseError.exit_code
    except KeyboardInterrupt:
        _complain(arguments.command, "stopped; run it again to go on.")
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands. A command is a function `_<name>` and its entry here."""
    root = argparse.ArgumentParser(
        prog="warehouse",
        description="Product-finance warehouse. WAREHOUSE_HOME names its folder; default: data/.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    build = _command(commands, "build", _build, "ingest, build, audit, document and publish")
    _add_landing(build)
    build.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RULE",
        help="publish although this rule of the publish suites fails, as RULE or MART.RULE",
    )
    build.add_argument(
        "--whole", action="store_true", help="build everything, also what stands on no new input"
    )

    ingest = _command(commands, "ingest", _ingest, "take new files through the gate into raw/")
    ingest.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="take just these, by a mapping"
    )
    ingest.add_argument(
        "--as", dest="mapping", metavar="MAPPING", help="the import mapping FILE is read by"
    )
    _add_landing(ingest)

    watch = _command(commands, "watch", _watch, "take files as they arrive, and publish")
    _add_landing(watch)
    watch.add_argument(
        "--interval", type=_seconds, default=2.0, metavar="SECONDS", help="time between two looks"
    )

    mappings = _command(commands, "mappings", _mappings, "list the import mappings, or show one")
    mappings.add_argument("name", nargs="?", help="show this one, with an example of its files")

    _command(commands, "seeds", _seeds, "begin the seeds of an own company in seeds/ of the home")

    report = _command(
        commands, "report", _report, "write the report of the current version into report/"
    )
    report.add_argument("--role", metavar="R", help="from the files of this role only")
    report.add_argument("--single-file", action="store_true", help="one file that can be mailed")
    report.add_argument(
        "--lineage", action="store_true", help="column lineage beside it (takes half a minute)"
    )

    _command(commands, "versions", _versions, "list the published versions")

    explain = _command(commands, "explain", _explain, "show what a published figure is made of")
    explain.add_argument("mart", metavar="MART")
    explain.add_argument(
        "key",
        nargs="*",
        metavar="KEY",
        help="values of the mart's key in its order, or COLUMN=VALUE",
    )
    explain.add_argument("--figure", metavar="COLUMN", help="default: the first the mart traces")
    explain.add_argument(
        "--all", action="store_true", help="follow every row, not the largest of each part alone"
    )

    rollback = _command(commands, "rollback", _rollback, "make an earlier version current again")
    rollback.add_argument(
        "version", nargs="?", help="start of its id; default: the version before the current one"
    )

    _command(commands, "verify", _verify, "check every stored file against the ledger")

    backup = _command(commands, "backup", _backup, "store what cannot be derived, once per content")
    backup.add_argument("destination", type=Path, metavar="DEST", help="folder of the backup")

    restore = _command(commands, "restore", _restore, "put a backup into an empty home")
    restore.add_argument("source", type=Path, metavar="SRC", help="folder of the backup")
    restore.add_argument("--snapshot", metavar="ID", help="default: the latest")

    drill = _command(commands, "drill", _drill, "restore and rebuild a backup aside, and compare")
    drill.add_argument("source", type=Path, metavar="SRC", help="folder of the backup")

    simulate = _command(
        commands, "simulate", _simulate, "write the extracts of a made-up company, truth kept apart"
    )
    simulate.add_argument("--out", type=Path, required=True, help="folder for the extracts")
    simulate.add_argument("--seed", type=int, default=7, help="another seed, another company")
    simulate.add_argument(
        "--scale", type=int, default=1, help="times 400 customers; streams to Parquet from 10"
    )
    simulate.add_argument("--truth", type=Path, help="folder for the truth; default: <out>-truth")
    simulate.add_argument("--format", choices=("csv", "parquet"), help="default: by scale")

    bench = _command(commands, "bench", _bench, "measure time and memory, in a folder of its own")
    bench.add_argument("parts", nargs="*", metavar="PART", help="what to measure; default: all")
    bench.add_argument("--list", action="store_true", help="list the parts and their sizes")
    bench.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        dest="sizes",
        help="measure at another size",
    )
    bench.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the figures as JSON, one file per part; default: target/bench",
    )
    bench.add_argument(
        "--page", type=Path, metavar="FILE", help="put the figures into this page, a section a part"
    )

    study = _command(
        commands, "study", _study, "compare estimates with the known truth of simulated worlds"
    )
    study.add_argument("--worlds", type=int, default=200, help="how many; default: 200")
    study.add_argument("--seed", type=int, default=1, help="another seed, other worlds")
    study.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the report and the rows of the seed; default: docs/study and seeds/",
    )
    return root


def _command(
    commands: "Subparsers", name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    command.set_defaults(run=run)
    return command


def _add_landing(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--landing",
        type=Path,
        metavar="DIR",
        help="take files from here; default: landing/ of the home, else the sample company",
    )


def _build(arguments: argparse.Namespace) -> int:
    from warehouse import build, lock

    home = Home.from_environment()
    started = time.monotonic()
    with lock.exclusive(home.lock, "a build"):
        result = build.run(
            home,
            build.Progress(_say),
            arguments.landing,
            arguments.accept,
            whole=arguments.whole,
        )
    current = home.published / "current"
    _say(f"Done in {time.monotonic() - started:.1f} s. Version {result.version.id} is current.")
    _say(f"  open   {current / 'index.html'}")
    _say(f"  query  {current / 'marts.duckdb'}")
    return _refusals("build", result.refused)


def _ingest(arguments: argparse.Namespace) -> int:
    from warehouse import lock, origin
    from warehouse.ingest import ingest, ingest_files

    home = Home.from_environment()
    if bool(arguments.files) != bool(arguments.mapping):
        raise UsageError("FILE and --as MAPPING go together; `warehouse mappings` lists them.")
    with lock.exclusive(home.lock, "an ingest"):
        if arguments.files:
            origin.choose(home, home.open_ledger(), arguments.files[0].parent)
            summary = ingest_files(home, arguments.files, arguments.mapping, say=_say)
        else:
            source = origin.choose(home, home.open_ledger(), arguments.landing)
            _say(f"Taking files from {source.landing} ({source.name} data).")
            summary = ingest(home, source.landing, say=_say)
    _say(summary.line)
    return _refusals("ingest", summary.of("refused"))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("give 0.1 to 3600 seconds")
    return seconds


def _watch(arguments: argparse.Namespace) -> int:
    import signal
    from threading import Event

    from warehouse import watch

    stop = Event()

    def finish(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        _say("Stopping after what is being done; once more to stop at once.")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, finish)
    watch.watch(Home.from_environment(), arguments.landing, stop, _say, interval=arguments.interval)
    return 0


def _mappings(arguments: argparse.Namespace) -> int:
    from warehouse import contract, mapping
    from warehouse.errors import MappingError

    home = Home.from_environment()
    known = mapping.load_all(contract.load(), home.mappings)
    wrong = {name: one for name, one in known.items() if isinstance(one, MappingError)}
    if arguments.name is None:
        for one in known.values():
            if not isinstance(one, MappingError):
                _say(f"{one.name:28} {one.extract.id:24} {one.title}")
        for error in wrong.values():
            _complain("mappings", str(error))
        return MappingError.exit_code if wrong else 0
    if arguments.name not in known:
        raise UsageError(f"there is no mapping {arguments.name}; there are {', '.join(known)}.")
    one = known[arguments.name]
    if isinstance(one, MappingError):
        raise one
    _say(f"{one.title}: fills {one.extract.id}, told in {one.path}")
    if one.example:
        _say(f"A file looks like this:\n\n{one.example.rstrip()}")
    return 0


def _seeds(_: argparse.Namespace) -> int:
    from warehouse import lock, seeds

    home = Home.from_environment()
    with lock.exclusive(home.lock, "a start of seeds"):
        begun = seeds.start(home)
    words = {"empty": "a heading to fill in", "copy": "the sample company's, to change"}
    for name, start in begun.items():
        _say(f"  {home.seeds / name}: {words[start]}")
    if not begun:
        _say(f"{home.seeds} has them all.")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from warehouse import report

    home = Home.from_environment()
    written = report.write_current(home, arguments.role or "", is_single=arguments.single_file)
    _say(f"  open   {written}")
    if arguments.lineage:
        _say(f"  open   {report.write_lineage(home)}")
    return 0


def _refusals(command: str, refused: Sequence[object]) -> int:
    if not refused:
        return 0
    were = "1 file was" if len(refused) == 1 else f"{len(refused)} files were"
    _complain(command, f"{were} refused; what to change is said above.")
    return FilesRefusedError.exit_code


def _versions(_: argparse.Namespace) -> int:
    from warehouse.publish import Shelf

    shelf = Shelf(_home_in_use().published)
    current = shelf.current()
    if current is None:
        _say("Nothing is published yet: run `warehouse build`.")
    for version in shelf.versions():
        mark = "*" if current and version.id == current.id else " "
        state = ", withdrawn" if shelf.is_withdrawn(version.manifest["content_digest"]) else ""
        counted = f"{len(version.rows)} marts, {sum(version.rows.values())} rows{state}"
        print(mark, version.id, counted)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from warehouse import explain

    rows = None if arguments.all else explain.ROWS_SHOWN
    explanation = explain.explain(
        Home.from_environment(), arguments.mart, arguments.key, arguments.figure, rows
    )
    for line in explain.render(explanation):
        print(line)
    if all(node.is_explained for node in explanation.node.walk()):
        return 0
    _complain("explain", "some figures are not what their parts make; they are marked above.")
    return 1


def _rollback(arguments: argparse.Namespace) -> int:
    from warehouse import lock, publish

    home = Home.from_environment()
    with lock.exclusive(home.lock, "a rollback"):
        shelf = publish.Shelf(home.published)
        version = publish.roll_back(shelf, home.open_ledger(), arguments.version)
    _say(f"Version {version.id} is current. Later ones are withdrawn: no build brings them back.")
    return 0


def _home_in_use() -> Home:
    home = Home.from_environment()
    if not home.ledger.is_dir():
        raise UsageError(
            f"there is no warehouse in {home.root}: run `warehouse build`, or name another folder in "
            "WAREHOUSE_HOME."
        )
    return home


def _verify(_: argparse.Namespace) -> int:
    from warehouse import verify

    home = _home_in_use()
    found = list(verify.problems(home))
    for problem in found:
        _complain("verify", problem)
    if found:
        return TamperedError.exit_code
    _say(f"{home.root}: every entry, file and version is what the ledger says.")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from warehouse import backup, lock

    home = Home.from_environment()
    destination = folder(arguments.destination, "DEST")
    with lock.exclusive(home.lock, "a backup"):
        snapshot, copied = backup.back_up(home, destination)
    _say(f"Snapshot {snapshot.id}: {len(snapshot.files)} files, {copied} bytes new, read back.")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from warehouse import backup, lock

    home = Home.from_environment()
    snapshot = backup.choose(arguments.source, arguments.snapshot)
    with lock.exclusive(home.lock, "a restore"):
        restored = backup.restore(home, arguments.source, snapshot)
    _say(f"Snapshot {snapshot.id} is in {home.root} ({restored.seconds:.1f} s).")
    if restored.seeds:
        _say(f"These seeds differ from the checkout's and count in {home.seeds}:")
        for name in restored.seeds:
            _say(f"  {name}")
    _say("Check it with `warehouse verify`; `warehouse build` makes the working database anew.")
    return 0


def _drill(arguments: argparse.Namespace) -> int:
    from warehouse import drill, lock

    home = Home.from_environment()
    with lock.exclusive(home.lock, "a restore drill"):
        done = drill.run(home, arguments.source, _say)
    if done.differing:
        _complain("drill", f"these marts came back different: {', '.join(done.differing)}.")
        return TamperedError.exit_code
    _say(f"Snapshot {done.snapshot} came back whole: restored and rebuilt in {done.seconds:.1f} s.")
    return 0


def _complain(command: str, message: str) -> None:
    print(f"warehouse {command}: {message}", file=sys.stderr, flush=True)


def _simulate(arguments: argparse.Namespace) -> int:
    from warehouse.simulate import simulate

    folder(arguments.out, "--out")
    rows = simulate(
        arguments.out, arguments.seed, arguments.scale, arguments.truth, arguments.format
    )
    _say(f"Wrote {sum(rows.values())} rows of {len(rows)} extracts to {arguments.out}")
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from warehouse import bench

    chosen = bench.choose(arguments.parts)
    sizes = bench.sizes_from(arguments.sizes, chosen)
    if arguments.list:
        for part in chosen:
            _say(f"{part.name:14} {part.description}")
            for name, number in part.sizes.items():
                _say(f"{'':14} --set {name}={number}")
        return 0
    out: Path = arguments.out or PROJECT / "target" / "bench"
    for part in chosen:
        _say(f"{part.name}: {part.description} ...")
        _say("\n".join(bench.table(bench.run(part, sizes, out, arguments.page))))
    _say(f"As JSON in {out}.")
    return 0


def _study(arguments: argparse.Namespace) -> int:
    from warehouse import lock
    from warehouse.study import ranges, report, run

    if arguments.worlds < len(ranges.KINDS):
        raise UsageError(
            f"--worlds must be {len(ranges.KINDS)} or more, so that every kind is there."
        )
    home = Home.from_environment()
    with lock.exclusive(home.lock, "a study"):
        results = run.run(home.root / "study", arguments.worlds, arguments.seed)
    out = arguments.out or PROJECT / "docs" / "study"
    rows = (arguments.out or PROJECT / "seeds" / "governance") / "study_results.csv"
    report.write(results, arguments.seed, out, rows)
    _say(f"Wrote {out / report.REPORT} and {rows}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
