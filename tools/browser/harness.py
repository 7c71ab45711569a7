"""A widget in a page without a kernel, and JupyterLab on a copy of the notebooks: for tests and benchmarks."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from ipywidgets.embed import dependency_state, escape_script

ROOT = Path(__file__).parents[2]
PATIENCE = 600
"""Seconds after which what is waited for will not come: a limit for a busy machine, not what anything takes."""
HERE = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "ws://127.0.0.1:")
"""How the address of what may be requested begins."""
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
"""The first is the same browser without what would surround a page, and takes a quarter less time for it."""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"]


def chromium():
    """Path of a Chromium, or None: the variable CHROMIUM, then what PATH finds."""
    places = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    return next((place for place in places if place and os.access(place, os.X_OK)), None)


@contextmanager
def launched(path):
    """The Chromium at `path`, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def watched_page(browser, **options):
    """A page in which nothing from another machine arrives; its lists `errors` and `outside` say what went wrong."""
    with browser.new_context(**{"viewport": {"width": 1300, "height": 1000}, **options}) as context:
        page = context.new_page()
        page.errors, page.outside = [], []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda said: page.errors.append(f"console: {said.text}") if said.type == "error" else None)

        def answer(route):
            if route.request.url.startswith(HERE):
                route.continue_()
            else:
                page.outside.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        yield page


def theme(dark):
    """The variables of JupyterLab's light or dark theme, as it ships them."""
    name = f"theme-{'dark' if dark else 'light'}-extension"
    path = Path(sys.prefix, "share", "jupyter", "lab", "themes", "@jupyterlab", name, "index.css")
    return path.read_text(encoding="utf-8")


def saved_state(widget):
    """What a notebook saves of a widget: its id, and by id the states of it and of all widgets that it refers to."""
    return {"id": widget.model_id, "states": dependency_state(widget, drop_defaults=False)}


def state_size(saved):
    """Bytes of all that: text as it is saved, arrays as they are sent."""
    models = saved["states"].values()
    buffers = [part for model in models for part in model.get("buffers", [])]
    return sum(len(json.dumps(model["state"]).encode()) for model in models) + sum(
        len(base64.b64decode(part["data"])) for part in buffers
    )


def mounted_page(saved, views=1, dark=False):
    """A widget as one HTML page that needs nothing else, from what `saved_state` gives."""
    parts = {
        "theme": theme(dark),
        "widgets": (ROOT / "tools" / "web" / "static" / "widgets.js").read_text(encoding="utf-8"),
        "state": escape_script(json.dumps({**saved, "views": views})),
    }
    template = (Path(__file__).parent / "mounted.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda part: parts[part[1]], template)


class Lab:
    """JupyterLab on loopback over a copy of the notebooks and of what they read, in directories of its own.

    Args:
        folder: where those directories are made.
        settings: what a learner could set, by the settings' names in JupyterLab.
    """

    def __init__(self, folder, settings=None):
        self.course = folder / "Kapsel учебник 膠囊"
        for name in ("notebooks", "figures", "benchmarks"):
            shutil.copytree(ROOT / name, self.course / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "JUPYTER_PREFER_ENV_PATH": "1"}
        self.environment.pop("JUPYTER_PATH", None)
        for variable in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            self.environment[f"JUPYTER_{variable}"] = str(folder / variable.lower())
        for variable in ("SETTINGS_DIR", "WORKSPACES_DIR"):
            self.environment[f"JUPYTERLAB_{variable}"] = str(folder / variable.lower())
        self.environment["IPYTHONDIR"] = str(folder / "ipython")
        self.environment["XDG_DATA_HOME"] = str(folder / "data")  # Where progress is kept.
        # The question about news would lie over the notebook, and its answer comes from another machine.
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        for name, values in {"@jupyterlab/apputils-extension:notification": quiet, **(settings or {})}.items():
            file = folder / "settings_dir" / f"{name.replace(':', '/')}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        self.log = folder / "lab.log"
        # Port 0: whichever is free, so that two workers never want the same one.
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={self.course}", "--LabApp.expose_app_in_browser=True"]
        command += ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.url, self.token = self._address(folder / "runtime_dir" / f"jpserver-{self.process.pid}.json")
        except BaseException:
            self.close()
            raise

    def _address(self, told, patience=PATIENCE):
        """The server's address and token, from the file that it writes when it listens."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            try:
                server = json.loads(told.read_text())
                socket.create_connection(("127.0.0.1", server["port"]), 1).close()
                return f"http://127.0.0.1:{server['port']}", server["token"]
            except (OSError, ValueError):  # Not there yet, or half written, or it does not listen yet.
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, path, method="GET"):
        """Ask the server's own interface, as in `request("api/sessions")`."""
        request = urllib.request.Request(f"{self.url}/{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")

    def open(self, page, name, interface="doc", run=True, trusted=False, dark=False, patience=PATIENCE):
        """Open a fresh copy of a notebook with a kernel of its own, and run all its cells.

        Args:
            page: the page to open it in.
            name: file of notebooks/, or the path of another notebook.
            interface: "doc", the notebook alone, or "lab", all of JupyterLab.
            run: run all cells, and wait until the last one has run; otherwise only wait until the kernel is ready.
            trusted: trust the saved outputs, as one does who has run the notebook before.
            dark: in the dark theme.
            patience: seconds to wait for the kernel, and for the cells.
        """
        for session in self.request("api/sessions"):
            self.request(f"api/sessions/{session['id']}", "DELETE")
        original = ROOT / "notebooks" / name
        file = self.course / "notebooks" / original.name
        text = original.read_text(encoding="utf-8")
        if not trusted:  # Signatures are of the contents: another test may have trusted these.
            changed = json.loads(text)
            changed["metadata"]["opened"] = time.monotonic()
            text = json.dumps(changed)
        file.write_text(text, encoding="utf-8")
        if trusted:
            command = [sys.executable, "-m", "jupyter", "trust", str(file)]
            subprocess.run(command, env=self.environment, check=True, capture_output=True)
        page.goto(
            f"{self.url}/{interface}/tree/notebooks/{file.name}?token={self.token}&reset", timeout=1000 * patience
        )
        # Run All is lost while the kernel is not ready.
        page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for(timeout=1000 * patience)
        if dark:
            page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        if run:
            self.run_all(page, patience)

    @staticmethod
    def run_all(page, patience=PATIENCE):
        """Run all cells by the menu's own command, and wait for the last one's end.

        Raises:
            RuntimeError: if a cell failed, or they did not come to an end.
        """
        ended = page.evaluate(
            """(patience) => Promise.race([
                jupyterapp.commands.execute("notebook:run-all-cells"),
                new Promise((resolve) => setTimeout(resolve, 1000 * patience, "not ended")),
            ])""",
            patience,
        )
        if ended is False:
            raise RuntimeError(f"a cell failed: {page.locator('[data-mime-type$=stderr]').all_inner_texts()}")
        if ended == "not ended":
            raise RuntimeError(f"the cells did not come to an end within {patience} s")
        page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for(timeout=1000 * patience)

    @staticmethod
    def cells(page):
        """How many cells the notebook in a page has; on the page itself they come one after the other."""
        return page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.length")


ASK = """async (code) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const future = kernel.requestExecute({ code });
    let printed = "";
    future.onIOPub = ({ header, content }) => {
        if (header.msg_type === "stream") printed += content.text;
        if (header.msg_type === "error") printed += `${content.ename}: ${content.evalue}`;
    };
    await future.done;
    return printed.trim();
}"""


def printed(page, code, until=None, patience=PATIENCE):
    """What code prints that runs in the kernel of the notebook in a page, apart from its cells.

    Args:
        page: the page.
        code: Python.
        until: a function of what was printed, or the text itself. A widget in a page tells Python of a change only when
            Python has dealt with the one before, so what it has been told is asked for until it is there.
        patience: seconds until an answer will do that is not that one.
    """
    right = until if callable(until) else lambda said: until in (None, said)
    end = time.monotonic() + patience
    while True:
        said = page.evaluate(ASK, code)
        if right(said) or time.monotonic() > end:
            return said
