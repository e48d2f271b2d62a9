"""Does what the collector calls get to run, also while something goes down to the end of the stack?"""

import gc
import inspect
import sys
import weakref

NEAR_THE_END = 200  # calls


class Cycle:
    def __init__(self):
        self.itself = self


def lost_at_the_end_of_the_stack(act):
    """Of callbacks of weak references, how many did not run, with the collector's turn at each last call.

    ``act`` makes one container on each level that it goes down.
    """
    ran, tries = (
        [],
        range(sys.getrecursionlimit() - len(inspect.stack()) - NEAR_THE_END, sys.getrecursionlimit()),
    )
    before, thresholds = sys.unraisablehook, gc.get_threshold()
    sys.unraisablehook = lambda _: None
    try:
        for levels in tries:
            gc.collect(0)
            garbage = Cycle()
            weakref.finalize(garbage, ran.append, levels)
            del garbage
            gc.set_threshold(levels)
            act()
            gc.set_threshold(*thresholds)
        gc.collect()
    finally:
        gc.set_threshold(*thresholds)
        sys.unraisablehook = before
    return len(tries) - len(ran)
