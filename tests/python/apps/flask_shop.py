"""Flask with what it has: sessions, blueprints, uploads, streams, files, error pages, teardown."""

import io
import os
import time

from flask import (
    Blueprint, Flask, abort, flash, has_request_context, jsonify, make_response, redirect, render_template_string, request,
    send_file, session, stream_with_context, url_for,
)

app = Flask(__name__)
app.secret_key = "not secret"
front = Blueprint("front", __name__, url_prefix="/front")


@front.route("/<name>")
def greet(name):
    return f"Hello, {name}! {url_for('front.greet', name='x')}"


@app.route("/login/<user>")
def login(user):
    session["user"] = user
    return redirect(url_for("who"))


@app.route("/who")
def who():
    return session.get("user", "nobody")


@app.route("/upload", methods=["POST"])
def upload():
    file = request.files["file"]
    size = sum(len(piece) for piece in iter(lambda: file.stream.read(65536), b""))
    return jsonify(name=file.filename, size=size, field=request.form["field"])


@app.route("/raw", methods=["POST"])
def raw():
    return str(sum(len(piece) for piece in iter(lambda: request.stream.read(65536), b"")))


@app.route("/chunked", methods=["POST"])
def chunked():
    return request.get_data()


@app.route("/stream")
def stream():
    @stream_with_context
    def pieces():
        for i in range(5):
            yield f"{request.path} {i}\n"

    return app.response_class(pieces(), mimetype="text/plain")


@app.route("/gated")
def gated():
    """The second piece is made when a file is there: when the client says that it has got the first one."""

    def pieces():
        yield "first "
        while not os.path.exists(request.args["gate"]):
            time.sleep(0.001)
        yield "second"

    return app.response_class(stream_with_context(pieces()), mimetype="text/plain")


@app.route("/much")
def much():
    return app.response_class((b"x" * 65536 for _ in range(1600)), mimetype="application/octet-stream")


@app.route("/left")
def left():
    """A stream that its client leaves: what ends, and in which order."""

    @stream_with_context
    def pieces():
        try:
            while True:
                yield b"x" * 65536
        finally:
            print("finally", request.path)

    response = app.response_class(pieces(), mimetype="text/plain")
    response.call_on_close(lambda: print("call_on_close: first"))
    response.call_on_close(lambda: print("call_on_close: second"))
    return response


@app.route("/file")
def file():
    return send_file(os.environ["SHOP_FILE"], mimetype="application/octet-stream", conditional=True)


@app.route("/memory")
def memory():
    return send_file(io.BytesIO(b"in memory"), mimetype="text/plain")


@app.route("/error")
def error():
    raise RuntimeError("a view that fails")


@app.route("/teapot")
def teapot():
    abort(418)


@app.errorhandler(418)
def handle(error):
    return {"pot": "tea"}, 418


@app.route("/after")
def after():
    response = app.make_response("sent")

    @response.call_on_close
    def closed():
        print("call_on_close")

    return response


@app.route("/whole")
def whole():
    response = app.response_class((piece for piece in ("a", "b")), mimetype="text/plain")
    response.call_on_close(lambda: print("call_on_close", request.path if has_request_context() else "no request"))
    return response


@app.before_request
def before():
    print("before", request.path)


@app.after_request
def after_view(response):
    print("after", request.path, response.status_code)
    return response


@app.teardown_request
def teardown(error):
    print("teardown", request.path, type(error).__name__)


@app.teardown_appcontext
def teardown_app(error):
    print("teardown of the app's context", type(error).__name__)


@app.errorhandler(404)
def not_found(error):
    return f"<h1>No {request.path} here</h1>", 404


@front.errorhandler(KeyError)
def missing(error):
    return {"missing": str(error)}, 422


@front.route("/missing/<name>")
def find(name):
    return {}[name]


@app.route("/flash/<text>")
def flash_text(text):
    flash(text)
    return redirect(url_for("front.greet", name="flashed"), 303)


@app.route("/page")
def page():
    return render_template_string("<p>{% for each in get_flashed_messages() %}{{ each }}{% endfor %}</p>{{ user }}", user="<b>")


@app.route("/cookies")
def cookies():
    response = make_response(jsonify(dict(request.cookies)))
    response.set_cookie("one", "1", httponly=True, samesite="Lax")
    response.set_cookie("two", "zwei: ü")
    response.delete_cookie("three")
    return response


app.register_blueprint(front)
