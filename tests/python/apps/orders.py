"""Flask with SQLAlchemy on PostgreSQL: each request writes a row and reads it again, by its worker's connections."""

import os

import sqlalchemy
from flask import Flask, jsonify, request
from sqlalchemy import text

app = Flask(__name__)
engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0)
# As SQLAlchemy advises where processes are forked: a child leaves its parent's connections alone.
os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))

with engine.begin() as connection:  # so that a preloaded app has a connection before there are workers
    connection.execute(text("CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, tag text, worker int)"))


@app.route("/order/<tag>")
def order(tag):
    with engine.begin() as connection:
        made = text("INSERT INTO orders (tag, worker) VALUES (:tag, :worker) RETURNING id")
        number = connection.execute(made, {"tag": tag, "worker": os.getpid()}).scalar()
        row = connection.execute(text("SELECT tag, pg_backend_pid() FROM orders WHERE id = :id"), {"id": number}).one()
    return jsonify(tag=row[0], backend=row[1], worker=os.getpid())


@app.route("/wait")
def wait():
    """In the app, with its row written and not committed."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO orders (tag, worker) VALUES ('unfinished', :pid)"), {"pid": os.getpid()})
        connection.execute(text("SELECT pg_sleep(:s)"), {"s": float(request.args["s"])})
    return "waited"
