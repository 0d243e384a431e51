"""A context manager that says so when its `with` was forgotten, and otherwise is one."""

import pytest

from tinygrad_edu.blocks import block


@block("with counting(...) as counted:")
def counting(start, log):
    log.append("begin")
    try:
        yield start
    finally:
        log.append("end")


def test_it_runs_around_the_block_and_gives_what_is_yielded():
    log = []
    with counting(3, log) as counted:
        assert counted == 3
        assert log == ["begin"]
    assert log == ["begin", "end"]


def test_an_error_inside_reaches_the_end_and_the_caller():
    log = []
    with pytest.raises(KeyError), counting(3, log):
        raise KeyError
    assert log == ["begin", "end"]


def test_it_decorates_a_function():
    log = []

    @counting(3, log)
    def work():
        log.append("work")

    work()
    work()
    assert log == ["begin", "work", "end"] * 2


def test_without_with_it_says_how_it_is_written_and_has_begun_nothing():
    log = []
    block = counting(3, log)
    with pytest.raises(AttributeError, match=r"no 'total': write `with counting\(\.\.\.\) as counted:`.*test_blocks"):
        _ = block.total
    assert log == []
    assert not hasattr(block, "__len__")
    assert not hasattr(block, "_repr_html_")
