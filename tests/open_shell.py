"""``manage.py shell`` of a server's project, left open: to start one anew takes as long as a test does."""

import json
import subprocess

from tests.live import PATIENCE

IN_THE_SHELL = """
import contextlib, io, json, sys, traceback
answers = sys.stdout
for line in sys.stdin:
    printed, problem = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "shell", "exec"), {"__name__": "shell"})
        except Exception:
            problem = traceback.format_exc()
    print(json.dumps([printed.getvalue(), problem]), file=answers, flush=True)
"""


class OpenShell:
    def __init__(self, server):
        self._process = subprocess.Popen(
            [server.executable, "manage.py", "shell", "-v0", "-c", IN_THE_SHELL],
            cwd=server.project,
            env=server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code):
        """What the code prints. Each has names of its own."""
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the shell ended; what it said is above"
        printed, problem = json.loads(answer)
        assert not problem, problem
        return printed

    def close(self):
        self._process.communicate(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
