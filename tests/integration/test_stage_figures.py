"""What a rush costs a screen: its first paint, its longest task, what is in the page and in memory.

Ten minutes of it, in ``make prove`` only. The figures are printed with ``pytest -s``.

A browser without a graphics card draws on the processor: where that has two cores, a task waits for them
longer than it takes. So of a last half minute it is told, too, what the longest task takes of its own thread.
"""

import json
import os
import time

import pytest

from tests.browser import Shell, posts_of_today, wait_until_live

SECONDS = int(os.environ.get("REALTIME_WALL_RUSH", "600"))
TRACED = 30
A_SECOND = 10
STORED = 200
PAINT = 1000  # milliseconds
TASK = 50
NICE = 15  # of the server and the shell: a screen of the event shares its machine with neither
GROWTH = 1.1  # of nodes, and of the heap, from half of the time to its end

WATCH = """
    window.tasks = [];
    window.paint = 0;
    const watch = (type, react) =>
        new PerformanceObserver((list) => list.getEntries().forEach(react)).observe({ type, buffered: true });
    watch("largest-contentful-paint", (entry) => { window.paint = entry.startTime; });
    watch("longtask", (entry) => tasks.push(entry.duration));
    window.longFrames = []; // what the long ones were made of
    const whole = Math.round;
    const script = ({ invoker, duration, forcedStyleAndLayoutDuration }) =>
        `${invoker.split("/").pop()} ${whole(duration)}, of it layout ${whole(forcedStyleAndLayoutDuration)}`;
    watch("long-animation-frame", ({ startTime, duration, renderStart, styleAndLayoutStart, scripts }) => {
        const since = (start) => (start ? whole(startTime + duration - start) : 0);
        const [drawing, laying] = [since(renderStart), since(styleAndLayoutStart)];
        longFrames.push({ took: whole(duration), drawing, laying, scripts: scripts.map(script) });
    });
"""

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.prove]


def test_ten_posts_a_second_are_shown_without_a_long_task_and_nothing_grows(office, visitors):
    server, office_shell = office
    office_shell.store(*posts_of_today(STORED, ago=60), wall="rush")
    page = visitors.tab(f"{server.url}rush/?screen=A", script=WATCH)
    wait_until_live(page)
    page.wait_for_function("() => window.paint > 0")
    # Now: later on whatever is larger than all before it counts as one, too.
    shell, figures, at_load, paint = Shell(server), [], taken(page), page.evaluate("paint")
    for process in (server.process, shell._process):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)

    rush(shell, SECONDS // 2, page, figures)
    rush(shell, SECONDS // 2, page, figures)
    longest = longest_task(shell, page)
    shell.close()

    tasks = sorted(took for *_, of_half in figures for took in of_half)
    print(f"paint {paint:.0f} ms; at load {at_load}; tasks of more than {TASK} ms: {tasks}; {figures}")
    print(f"the longest task of half a minute: {longest:.1f} ms of its thread")
    print("long frames, in ms:", *page.evaluate("longFrames"), sep="\n")
    assert page.locator(".wall-card").count() <= STORED
    (nodes, heap, _), (nodes_then, heap_then, _) = figures
    assert longest < TASK
    assert paint < PAINT and not tasks
    assert nodes_then <= GROWTH * nodes and heap_then <= GROWTH * heap


def rush(shell, seconds, page, figures):
    """So many posts; then how many nodes there are, and how large the heap is."""
    post_for(shell, seconds, page)
    tasks = taken(page)
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    figures.append((page.evaluate("document.querySelectorAll('*').length"), heap, tasks))
    taken(page)  # to collect the garbage was one


def post_for(shell, seconds, page):
    """One post after the other, until the last is shown."""
    posts = posts_of_today(A_SECOND * seconds)
    began = time.monotonic()
    for number, post in enumerate(posts):
        shell.post(post, wall="rush")
        time.sleep(max(0.0, began + (number + 1) / A_SECOND - time.monotonic()))
    last = f"{posts[-1]['source']}:{posts[-1]['id']}"
    page.wait_for_function("(key) => document.querySelector(`[data-key='${key}']`)", arg=last)


def longest_task(shell, page):
    """Of the page's main thread, in milliseconds of that thread, while posts come."""
    browser = page.context.browser
    browser.start_tracing(page=page, categories=["toplevel"])
    post_for(shell, TRACED, page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks = [one for one in events if one["name"].endswith("RunTask") and "tdur" in one]
    return max(one["tdur"] for one in tasks if (one["pid"], one["tid"]) in threads) / 1000


def taken(page):
    """The long tasks since this was last asked, in milliseconds."""
    return page.evaluate("() => tasks.splice(0).map((took) => Math.round(took))")
