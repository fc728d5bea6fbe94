"""Runs the tests of what is stored in tables on moto's DynamoDB instead of dynalite: `python tests/tablesOnMoto.py`."""

import logging
import os
import pathlib
import signal
import subprocess
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

repository = pathlib.Path(__file__).resolve().parent.parent

# One request at a time: moto has no lock between checking a condition and writing.
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
threading.Thread(target=server.serve_forever, daemon=True).start()

files = [str(file) for file in sorted(repository.glob("tests/**/*.test.ts")) if '/realTables"' in file.read_text("utf-8")]
engine = {"TABLE_ENGINE": "moto", "TABLE_ENGINE_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
command = ["node", "node_modules/mocha/bin/mocha.js", *files]
mocha = subprocess.Popen(command, cwd=repository, env={**os.environ, **engine})
signal.signal(signal.SIGTERM, lambda *_: mocha.terminate())
sys.exit(mocha.wait())
