"""Flask that answers with what it was asked, after a moment."""

import time

from flask import Flask, request

app = Flask(__name__)


@app.route("/<tag>")
def answer(tag):
    time.sleep(float(request.args.get("s", 0)))
    return tag
