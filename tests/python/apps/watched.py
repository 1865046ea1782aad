"""A WSGI app behind Sentry's and OpenTelemetry's middlewares, which report to COLLECTOR from threads of their own."""

import os

COLLECTOR = os.environ["COLLECTOR"]


def plain(environ, start_response):
    if environ["PATH_INFO"] == "/error":
        raise RuntimeError(f"of worker {os.getpid()}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def sentry():
    import sentry_sdk
    from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

    sentry_sdk.init(dsn=f"http://key@{COLLECTOR}/1", traces_sample_rate=1.0, auto_enabling_integrations=False)
    return SentryWsgiMiddleware(plain)


def telemetry():
    import json
    import urllib.request

    from opentelemetry import trace
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Exporter(SpanExporter):
        def export(self, spans):
            told = [{"span": span.name, "target": str(dict(span.attributes)), "pid": os.getpid()} for span in spans]
            request = urllib.request.Request(f"http://{COLLECTOR}/spans", json.dumps(told).encode())
            urllib.request.urlopen(request, timeout=10).close()
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Exporter(), schedule_delay_millis=20))
    trace.set_tracer_provider(provider)
    return OpenTelemetryMiddleware(plain)


def with_logging():
    """Its own configuration: an error log of its own beside the server's."""
    import logging
    import logging.config

    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"own": {"format": "own %(levelname)s %(process)d %(message)s"}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "own"},
                "stdout": {"class": "logging.StreamHandler", "formatter": "own", "stream": "ext://sys.stdout"},
                "file": {"class": "logging.FileHandler", "formatter": "own", "filename": os.environ["APP_LOG"]},
            },
            "root": {"level": "INFO", "handlers": ["stderr", "file"]},
            "loggers": {"shop": {"handlers": ["stdout"], "level": "DEBUG"}},
        }
    )

    def app(environ, start_response):
        logging.getLogger("shop").debug("für %s", environ["PATH_INFO"])
        try:
            raise KeyError("lost")
        except KeyError:
            logging.exception("seen")
        return plain(environ, start_response)

    return app
