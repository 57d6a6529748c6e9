"""With pytest-xdist, one worker gets a subject, xdist schedules the rest, and a dead worker is reported."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.plugin.collection.xdist_scheduler import BySubject, SubjectScheduling, make_scheduler
from tests.plugin.conftest import Project, Run

CRASHES = """
import os

class Crashes(torch.nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            os.kill(os.getpid(), 9)
        return x

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_crashes():
    return Crashes()

@pytest.mark.torchscript(inputs=ROWS, checks=["trace", "parity"], max_examples=20)
def test_right():
    return Doubles()
"""


@pytest.mark.slow
def test_an_item_that_killed_its_worker_is_reported_and_not_rerun(project: Project, run: Run) -> None:
    project(CRASHES)
    result = run("-n2")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["no verdict * trace: its process ended before it *", "2 exports: 1 right, 1 not judged; *"]
    )
    assert result.stdout.str().count("replacing crashed worker") == 1


@pytest.mark.slow
def test_a_crash_is_reported_even_if_nothing_else_is(project: Project, run: Run) -> None:
    project(CRASHES)
    result = run("-n2", "-k", "crashes")
    result.stdout.fnmatch_lines(["no verdict * trace: its process ended before it gave a verdict"])


@pytest.mark.slow
@pytest.mark.parametrize("dist", ["load", "loadfile"])
def test_the_controller_reports_what_its_workers_found(project: Project, run: Run, dist: str) -> None:
    project(CRASHES.replace("os.kill(os.getpid(), 9)", "raise ValueError"))
    result = run("-n2", f"--dist={dist}")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["2 exports: 1 right, 1 wrong; *"])


KILLS = """
import os

@pytest.mark.torchscript(checks=["trace", "parity"])
@pytest.mark.parametrize("number", range(2))
def test_kills(number):
    os.kill(os.getpid(), 9)

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"], max_examples=5)
def test_right():
    return Doubles()
"""


@pytest.mark.one_in(2)
@pytest.mark.slow
@pytest.mark.parametrize("workers", ["-n1", "-n2"])
def test_a_run_in_which_every_worker_dies_twice_ends_with_a_table(
    project: Project, pytester: pytest.Pytester, workers: str
) -> None:
    project(KILLS)
    result = pytester.runpytest_subprocess(workers, "-p", "no:randomly", "-p", "no:cacheprovider", timeout=240)
    result.assert_outcomes(passed=1, failed=4)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "  all * NO VERDICT",
            "no verdict * its process ended before it gave a verdict *",
            "3 exports: 1 right, 2 not judged; *",
        ]
    )
    assert "INTERNALERROR" not in result.stdout.str()


class Worker:
    """As much of xdist's controller of one worker as a scheduler touches."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.shutting_down = False
        self.gateway = SimpleNamespace(id="gw")

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.sent.extend(indices)

    def send_runtest_all(self) -> None:
        raise AssertionError("this kind of scheduling was not asked for")

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduler(pytester: pytest.Pytester, dist: str) -> Any:
    config = pytester.parseconfig("--tx=2*popen", f"--dist={dist}", "-p", "no:randomly")
    return make_scheduler(config, None, ("jit", "other"))


def scheduled(pytester: pytest.Pytester, dist: str, ids: Sequence[str]) -> tuple[Any, list[Worker]]:
    """The scheduler after both workers collected `ids`, and the workers with what they were sent."""
    chosen = scheduler(pytester, dist)
    workers = [Worker(), Worker()]
    for worker in workers:
        chosen.add_node(worker)
    for worker in workers:
        chosen.add_node_collection(worker, list(ids))
    assert chosen.collection_is_completed
    chosen.schedule()
    return chosen, workers


OURS = [f"test_a.py::test_x[{n}-jit-{check}]" for n in (1, 2) for check in ("trace", "parity", "shapes")]
FOREIGN = ["test_b.py::test_1", "test_b.py::test_2[jit]", "test_b.py::test_3[trace]", "test_b.py::test_4"]


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_one_worker_gets_all_checks_of_a_subject(pytester: pytest.Pytester, dist: str) -> None:
    _, workers = scheduled(pytester, dist, OURS)
    assert [worker.sent for worker in workers] == [[0, 1, 2], [3, 4, 5]]


BOTH = [
    f"test_a.py::test_x[{n}-{backend}-{check}]"
    for n in (1, 2)
    for backend in ("jit", "other")
    for check in ("trace", "parity")
]


def test_one_worker_gets_all_backends_of_a_subject(pytester: pytest.Pytester) -> None:
    _, workers = scheduled(pytester, "load", BOTH)
    assert [worker.sent for worker in workers] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_groups_of_xdist_stay_together(pytester: pytest.Pytester) -> None:
    _, workers = scheduled(pytester, "loadgroup", ["t.py::a@one", *OURS[:3], "t.py::b@one"])
    assert [worker.sent for worker in workers] == [[1, 2, 3], [0, 4]]


@pytest.mark.parametrize(("dist", "name"), [("load", "LoadScheduling"), ("loadgroup", "LoadGroupScheduling")])
def test_without_an_item_of_ours_xdist_uses_its_own_scheduler(pytester: pytest.Pytester, dist: str, name: str) -> None:
    chosen, workers = scheduled(pytester, dist, FOREIGN)
    assert type(chosen.schedule.__self__).__name__ == name
    assert sorted(workers[0].sent + workers[1].sent) == [0, 1, 2, 3]


@pytest.mark.parametrize("dist", ["loadfile", "loadscope", "worksteal", "each"])
def test_another_kind_of_scheduling_is_left_alone(pytester: pytest.Pytester, dist: str) -> None:
    assert scheduler(pytester, dist) is None


def test_the_rest_of_a_dead_workers_items_goes_to_the_next(pytester: pytest.Pytester) -> None:
    chosen, (first, second) = scheduled(pytester, "load", OURS)
    assert isinstance(chosen, SubjectScheduling)
    assert isinstance(chosen.schedule.__self__, BySubject)
    chosen.mark_test_complete(first, 0)
    assert chosen.remove_node(first) == OURS[1]
    replacement = Worker()
    chosen.add_node(replacement)
    chosen.add_node_collection(replacement, OURS)
    chosen.schedule()
    assert replacement.sent == [2]
    assert chosen.remove_node(second) == OURS[3]


def test_the_rest_on_another_backend_goes_to_the_next_too(pytester: pytest.Pytester) -> None:
    chosen, (first, _) = scheduled(pytester, "load", BOTH)
    chosen.mark_test_complete(first, 0)
    assert chosen.remove_node(first) == BOTH[1]
    replacement = Worker()
    chosen.add_node(replacement)
    chosen.add_node_collection(replacement, BOTH)
    chosen.schedule()
    assert replacement.sent == [2, 3]


def replaced(chosen: Any, ids: Sequence[str]) -> Worker:
    """A worker in place of one that died, after it has collected."""
    worker = Worker()
    chosen.add_node(worker)
    chosen.add_node_collection(worker, list(ids))
    chosen.schedule()
    return worker


def test_a_worker_that_has_not_collected_gets_nothing_yet(pytester: pytest.Pytester) -> None:
    chosen, (first, second) = scheduled(pytester, "load", OURS)
    assert chosen.remove_node(first) == OURS[0]
    assert chosen.remove_node(second) == OURS[3]
    waiting = Worker()
    chosen.add_node(waiting)
    assert replaced(chosen, OURS).sent == [1, 2]
    assert (waiting.sent, waiting.shutting_down) == ([], False)
    chosen.add_node_collection(waiting, OURS)
    chosen.schedule()
    assert waiting.sent == [4, 5]


def test_a_worker_is_given_two_items_because_it_does_not_start_the_last_one(pytester: pytest.Pytester) -> None:
    chosen, (first, second) = scheduled(pytester, "load", OURS)
    chosen.mark_test_complete(first, 0)
    assert chosen.remove_node(first) == OURS[1]
    assert chosen.remove_node(second) == OURS[3]
    assert replaced(chosen, OURS).sent == [2, 4, 5]


def test_a_worker_with_the_last_item_is_told_that_there_is_no_other(pytester: pytest.Pytester) -> None:
    chosen, (first, _) = scheduled(pytester, "load", OURS)
    chosen.mark_test_complete(first, 0)
    chosen.remove_node(first)
    worker = replaced(chosen, OURS)
    assert (worker.sent, worker.shutting_down) == ([2], True)


def test_a_worker_that_finished_leaves_nothing(pytester: pytest.Pytester) -> None:
    chosen, (first, _) = scheduled(pytester, "load", OURS)
    for index in (0, 1, 2):
        chosen.mark_test_complete(first, index)
    assert chosen.remove_node(first) is None


@pytest.mark.parametrize(
    ("nodeid", "subject", "backend", "check"),
    [
        ("t.py::test_x[jit-parity]", "t.py::test_x", "jit", "parity"),
        ("t.py::G::test_x[a-b-1-jit-tied_weights]", "t.py::G::test_x[a-b-1]", "jit", "tied_weights"),
        ("t.py::test_x[my-jit-trace]", "t.py::test_x", "my-jit", "trace"),
        ("t.py::test_x[a[0]-jit-trace]@one", "t.py::test_x[a[0]]", "jit", "trace"),
    ],
)
def test_an_id_has_the_subject_the_backend_and_the_check(nodeid: str, subject: str, backend: str, check: str) -> None:
    parts = parse(nodeid, ("jit", "my-jit"))
    assert parts is not None
    assert (parts.subject, parts.backend, parts.check) == (subject, backend, check)
    assert parts.of(check) == nodeid
    assert parts.of("shapes") == nodeid.replace(f"-{check}]", "-shapes]")


@pytest.mark.parametrize("nodeid", [*FOREIGN, "t.py::test_x[xjit-trace]", "t.py::jit-trace]"])
def test_an_id_of_another_item_has_no_parts(nodeid: str) -> None:
    assert parse(nodeid, ("jit",)) is None
