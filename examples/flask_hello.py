"""Flask's own first example: script/server flask_hello:app"""

from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello():
    return "<p>Hello, World!</p>"
