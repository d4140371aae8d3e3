"""Documents made to take time or memory: each ends within its limits, and nothing of it is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import DocumentError, RunStopped
from analyzer.files.documents import LIMITS, DocumentReader, read_document
from analyzer.files.pitches import Sources
from tests.hostile_files import HOSTILE, docx, many_pages, packed_twice, paragraph

pytestmark = pytest.mark.slow

pytest.importorskip("pypdfium2")
pytest.importorskip("docx")
LOW = replace(LIMITS, seconds=1.0, memory=150_000_000)
GOOD = docx(paragraph("Platform teams pay for GPUs that stand idle."))
ROOT = Path(__file__).parents[2]
on_linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="looks at processes in /proc")

READ_ALL = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
from analyzer.errors import DocumentError
from analyzer.files.documents import LIMITS, DocumentReader

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
outcomes = {}
slow = json.loads(sys.argv[2])
for path in sorted(Path(sys.argv[1]).iterdir()):
    seconds = 1.0 if path.stem in slow else 60.0
    with DocumentReader(replace(LIMITS, seconds=seconds, memory=150_000_000)) as reader:
        try:
            outcomes[path.stem] = ["read", reader.read(path.name, path.read_bytes()).text]
        except DocumentError as error:
            outcomes[path.stem] = ["error", str(error)]
print(json.dumps([outcomes, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.fixture(scope="module")
def read_all(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[str, str]], int]:
    """What came of each hostile file, and the most memory that a child took (bytes).

    From a small process: a child counts its parent's memory as its own until it has started.
    """
    folder = tmp_path_factory.mktemp("hostile")
    for name, (suffix, make, _) in HOSTILE.items():
        (folder / f"{name}{suffix}").write_bytes(make())
    slow = [name for name, (_, _, says) in HOSTILE.items() if says is not None and "seconds" in says]
    outcomes, most = json.loads(python("-c", READ_ALL, str(folder), json.dumps(slow), cwd=ROOT))
    return outcomes, most * (1 if sys.platform == "darwin" else 1024)


def python(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_ends_in_one_line_that_says_why(
    read_all: tuple[dict[str, tuple[str, str]], int], name: str
) -> None:
    kind, text = read_all[0][name]
    suffix, _, says = HOSTILE[name]
    if says is None and kind == "read":
        return
    assert kind == "error" and text.startswith(f"{name}{suffix} ") and len(text.splitlines()) == 1
    # PDFium ends its process where it is refused memory, sometimes before the limit on memory is noticed.
    assert re.search(f"{says}|its reader fail" if says else "text|memory|seconds|understand|damaged", text), text
    assert "fault of this program" not in text


def test_no_child_takes_much_more_memory_than_its_limit(read_all: tuple[dict[str, tuple[str, str]], int]) -> None:
    assert read_all[1] < 2 * LOW.memory


def children() -> list[int]:
    """The processes that this one has started and that have not been waited for."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[1]) == os.getpid():
                found.append(int(folder.name))
    return found


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@on_linux
def test_many_documents_share_a_child_and_only_a_fault_costs_it() -> None:
    before = set(children())
    with DocumentReader(replace(LOW, seconds=60.0)) as reader:
        reader.read("a.docx", GOOD)
        first = set(children()) - before
        for _ in range(20):
            reader.read("a.docx", GOOD)
        assert len(first) == 1 and set(children()) - before == first
        with pytest.raises(DocumentError, match=r"memory|seconds"):  # which comes first is the machine's business
            reader.read("b.pdf", packed_twice())
        assert "GPUs" in reader.read("a.docx", GOOD).text
        second = set(children()) - before
        assert len(second) == 1 and second != first
    assert set(children()) == before


def test_plain_text_needs_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert read_document("a.txt", b"Idle GPUs").text == "Idle GPUs"
    with pytest.raises(
        DocumentError, match=r"a\.docx cannot be read now, as no process can be started for it \(No such file"
    ):
        read_document("a.docx", GOOD)


class Intervene:
    """As `cancelled`: does something to the child at the first question; then answers."""

    def __init__(self, act: Callable[[int], Any], answer: bool = False):
        self._before = set(children())
        self._act = act
        self._answer = answer
        self.asked = False

    def __call__(self) -> bool:
        if not self.asked:
            self.asked = True
            (child,) = set(children()) - self._before
            self._act(child)
        return self._answer


@on_linux
@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (signal.SIGSTOP, r"was not read within 0\.5 seconds"),
        (signal.SIGSEGV, "made its reader fail: it is damaged or takes too much memory"),
        (signal.SIGKILL, "made its reader fail: it is damaged or takes too much memory"),
        (signal.SIGXCPU, "takes more than 30 seconds to read"),
    ],
    ids=["stopped", "crashed", "killed from elsewhere", "ended by the system's own limit"],
)
def test_whatever_happens_to_the_child_is_an_error_of_the_document_and_leaves_nothing(sent: int, says: str) -> None:
    before = descriptors(), children()
    cancelled = Intervene(lambda child: os.kill(child, sent))
    with DocumentReader(replace(LIMITS, wait=0.5 if sent == signal.SIGSTOP else 60.0), cancelled) as reader:
        with pytest.raises(DocumentError, match=says) as raised:
            reader.read("a.pdf", many_pages())
        assert len(str(raised.value).splitlines()) == 1
        assert (descriptors(), children()) == before
        if sent != signal.SIGSTOP:  # half a second may be too little for an honest one on a busy machine
            assert "GPUs" in reader.read("b.docx", GOOD).text
    assert (descriptors(), children()) == before


@on_linux
def test_whoever_leaves_ends_the_work() -> None:
    before = descriptors(), children()
    cancelled = Intervene(lambda child: None, answer=True)
    with pytest.raises(RunStopped, match=r"a\.pdf was not read to its end"):
        read_document("a.pdf", many_pages(), cancelled)
    assert cancelled.asked and (descriptors(), children()) == before


@on_linux
def test_an_interrupt_ends_the_work() -> None:
    before = descriptors(), children()

    def interrupt(child: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_document("a.pdf", many_pages(), Intervene(interrupt))
    assert (descriptors(), children()) == before


@on_linux
def test_the_child_has_no_keys_and_is_not_reached_by_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen: dict[str, Any] = {}

    def look(child: int) -> None:
        deadline = time.monotonic() + 20
        while b"reader_process" not in Path(f"/proc/{child}/cmdline").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.update(group=os.getpgid(child), environment=Path(f"/proc/{child}/environ").read_bytes())

    with pytest.raises(RunStopped):
        read_document("a.pdf", many_pages(), Intervene(look, answer=True))
    assert seen["group"] != os.getpgid(0)
    assert b"PATH=" in seen["environment"] and b"secret" not in seen["environment"]


@on_linux
def test_only_so_many_documents_are_read_at_the_same_time() -> None:
    most, lock = 0, threading.Lock()
    before = len(children())

    def read(asked: int = 0) -> None:
        def cancelled() -> bool:
            nonlocal asked, most
            asked += 1
            with lock:
                most = max(most, len(children()) - before)
            return asked > 10

        with pytest.raises(RunStopped):
            read_document("a.pdf", many_pages(), cancelled)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 4 and len(children()) == before


@pytest.mark.parametrize("flag", ["-P", "-I"])
def test_neither_the_users_script_nor_a_file_next_to_it_is_run_by_a_child(tmp_path: Path, flag: str) -> None:
    (tmp_path / "a.docx").write_bytes(GOOD)
    for name in ("analyzer", "json", "docx", "lxml", "struct", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"open('{name}.was-run', 'w')\n")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from analyzer.files.documents import read_file\n"
        "open('runs', 'a').write('once ')\n"
        "print(read_file(Path('a.docx')).text)\n"
    )
    assert "GPUs" in python(flag, str(script), cwd=tmp_path)
    assert (tmp_path / "runs").read_text() == "once " and not list(tmp_path.glob("*.was-run"))


@on_linux
def test_a_forked_process_reads_with_a_child_of_its_own() -> None:
    """Two that share a child would get each other's documents."""
    script = (
        "import os, sys\nfrom tests.hostile_files import docx, paragraph\n"
        "from analyzer.files.documents import DocumentReader\n"
        "with DocumentReader() as reader:\n"
        "    reader.read('a.docx', docx(paragraph('first')))\n"
        "    pid = os.fork()\n"
        "    name = 'parent' if pid else 'fork'\n"
        "    for number in range(20):\n"
        "        assert reader.read('b.docx', docx(paragraph(name + str(number)))).text == name + str(number)\n"
        "    if pid:\n"
        "        assert os.waitpid(pid, 0)[1] == 0\n"
        "print('both')\n"
    )
    assert python("-c", script, cwd=ROOT).count("both") == 2


@on_linux
def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(many_pages())
    script = (
        "import os\nfrom pathlib import Path\nfrom analyzer.files.documents import read_document\n"
        "from tests.files.test_hostile_documents import children\n"
        "read_document('a.pdf', Path('a.pdf').read_bytes(), lambda: print(*children(), flush=True))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = Path("/proc") / parent.stdout.readline().strip()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(child)


def running(process: Path) -> bool:
    """Whether a process is there; one that has ended and that nobody asked about is not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_hostile_file_fails_alone_in_a_folder(tmp_path: Path) -> None:
    for name, data in (("1.docx", GOOD), ("2.docx", docx("<w:p>" * 5000 + "</w:p>" * 5000)), ("3.docx", GOOD)):
        (tmp_path / name).write_bytes(data)
    first, second, third = Sources((str(tmp_path),))
    assert first.error is None and third.error is None and "GPUs" in third.text
    assert str(second.error).startswith(f"{tmp_path / '2.docx'} nests too deeply")
