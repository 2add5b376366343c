"""Files as they are read → groups as soon as nothing that follows can belong to them, so that few are held at once.

Files come folder by folder, a folder's own before those below it. What lies below is done with when the next folder
begins, but for what belongs to a folder above: splits and parts of a run in folders of their own, and the files of one
run that tell the same numbers as a log further up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from logdoctor.diagnosis import Unread
from logdoctor.grouping import Group, owner_folder, twins
from logdoctor.reading import Read
from logdoctor_parsers import LogFile

Grouping = Callable[[Sequence[Read]], tuple[list[Group], list[Unread]]]


def folder_by_folder(files: Iterable[LogFile]) -> list[LogFile]:
    """The files in the order in which `gather` wants them."""
    return sorted(files, key=lambda file: (file.path.parent.parts, file.path.name))


def gather(reads: Iterable[Read], grouping: Grouping) -> Iterator[tuple[list[Group], list[Unread]]]:
    """Groups that are complete, those of one folder together, with the files that could not be grouped.

    Only a folder without files of its own, whose run is told by folders below it that no name gives away as splits,
    is not compared with the runs beside these.
    """
    open_folders: list[_Folder] = []
    for read in reads:
        place = read.file.path.parent
        while open_folders and not place.is_relative_to(open_folders[-1].place):
            yield _close(open_folders, grouping)
        _opened(open_folders, place).add(read)
    while open_folders:
        yield _close(open_folders, grouping)


@dataclass
class _Folder:
    """A folder whose files, or those below it, are still being read."""

    place: Path
    reads: list[Read] = field(default_factory=list)
    failed: list[Unread] = field(default_factory=list)
    _groups: list[Group] | None = None

    def add(self, *reads: Read) -> None:
        self.reads += reads
        self._groups = None

    def groups(self, grouping: Grouping) -> list[Group]:
        if self._groups is None:
            self._groups, failed = grouping(self.reads)
            lost = {unread.path for unread in failed}
            self.reads = [read for read in self.reads if read.file.name not in lost]
            self.failed += failed
        return self._groups

    def hand_over(self) -> list[tuple[Path, Read]]:
        """The files that belong to folders above, with these; the others stay."""
        owned = [(owner_folder(read), read) for read in self.reads]
        above = [(owner, read) for owner, read in owned if not owner.is_relative_to(self.place)]
        if above:
            self.reads = [read for owner, read in owned if owner.is_relative_to(self.place)]
            self._groups = None
        return above


def _opened(open_folders: list[_Folder], place: Path) -> _Folder:
    """The open folder of this place, opened if need be."""
    if not open_folders or open_folders[-1].place != place:
        open_folders.append(_Folder(place))
    return open_folders[-1]


def _close(open_folders: list[_Folder], grouping: Grouping) -> tuple[list[Group], list[Unread]]:
    """The groups of the innermost folder that are complete; the others are handed to the folders they belong to."""
    folder = open_folders.pop()
    for owner, read in folder.hand_over():
        _hand_up(open_folders, owner, read)
    complete = []
    for group in folder.groups(grouping):
        kin = _kin(open_folders, group, grouping)
        if kin is None:
            complete.append(group)
        else:
            kin.add(*group.reads)
    return complete, folder.failed


def _hand_up(open_folders: list[_Folder], place: Path, read: Read) -> None:
    """To the folder whose run the file belongs to; it is opened now where it has no files of its own."""
    above = sum(place.is_relative_to(folder.place) for folder in open_folders)
    if not above or open_folders[above - 1].place != place:
        open_folders.insert(above, _Folder(place))
        above += 1
    open_folders[above - 1].add(read)


def _kin(open_folders: Sequence[_Folder], group: Group, grouping: Grouping) -> _Folder | None:
    """The open folder with a group that tells the same numbers."""
    for folder in reversed(open_folders):
        if any(_are_twins(other, group) for other in folder.groups(grouping)):
            return folder
    return None


def _are_twins(a: Group, b: Group) -> bool:
    try:
        return twins(a, b)
    except Exception:
        return False  # each then stands for itself
