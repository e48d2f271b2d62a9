"""Run a program with gevent's patches in place before it imports anything.

``rungevent`` re-executes itself through this file: patching inside the command would come after Django
was set up, and then all greenlets would share one database connection. Called as::

    python [flags] run_patched.py PATH0 (script.py | -m module) [arguments]

where PATH0 is what the first entry of ``sys.path`` was, which running this file has replaced.
"""

import sys

if __name__ == "__main__":
    path0 = sys.argv[1]
    # Before gevent is imported: this folder, now first on the path, must not shadow anything. Under
    # -P or -I Python adds no first entry, and neither do we.
    if not sys.flags.safe_path:
        sys.path[0] = path0

    from gevent import monkey

    monkey.patch_all()

    import runpy
    from importlib.util import module_from_spec, spec_from_file_location
    from typing import Any

    # By its path: what of ours is imported, and from where, is for the program to say.
    spec: Any = spec_from_file_location("log_pipe", __file__.replace("run_patched", "log_pipe"))
    log_pipe = module_from_spec(spec)
    spec.loader.exec_module(log_pipe)
    log_pipe.install()

    if sys.argv[2] == "-m":
        module = sys.argv[3]
        sys.argv[:] = sys.argv[3:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        script = sys.argv[2]
        sys.argv[:] = sys.argv[2:]
        runpy.run_path(script, run_name="__main__")
